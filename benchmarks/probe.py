"""How soon a span can be read: sends one of its own every quarter of a second and asks for it until it is there.

The time runs from the start of the request that sends it, so it covers the wait for the acknowledgement.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

__all__ = ["Probe", "over_api", "over_sqlite"]

PERIOD, PATIENCE = 0.25, 20.0


class Probe(threading.Thread):
    """Probes while `stop` is not set; `seconds` holds what each span took, `PATIENCE` for one that did not come."""

    def __init__(self, url: str, seen: Callable[[str], bool], headers: dict[str, str]) -> None:
        super().__init__(daemon=True)
        self._url, self._seen = url, seen
        self._headers = {"Content-Type": "application/x-protobuf", **headers}
        self.stop = threading.Event()
        self.seconds: list[float] = []
        self.refused = 0

    def run(self) -> None:
        """Probe."""
        while not self.stop.wait(PERIOD):
            trace_id = os.urandom(16)
            begun = time.perf_counter()
            if not self._send(trace_id):
                self.refused += 1
                continue
            while not self._seen(trace_id.hex()) and time.perf_counter() - begun < PATIENCE:
                time.sleep(0.005)
            self.seconds.append(time.perf_counter() - begun)

    def percentile_ms(self, share: float) -> float:
        """Return a percentile in milliseconds."""
        found = sorted(self.seconds)
        return round(found[min(len(found) - 1, int(len(found) * share))] * 1e3, 1)

    def _send(self, trace_id: bytes) -> bool:
        request = ExportTraceServiceRequest()
        span = request.resource_spans.add().scope_spans.add().spans.add()
        now = time.time_ns()
        span.trace_id, span.span_id, span.name = trace_id, trace_id[:8], "probe"
        span.start_time_unix_nano, span.end_time_unix_nano = now - 1_000_000, now
        sent = urllib.request.Request(f"{self._url}/v1/traces", request.SerializeToString(), self._headers)
        try:
            with urllib.request.urlopen(sent, timeout=60) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


def over_api(url: str) -> Callable[[str], bool]:
    """Ask Watchkeeper's API for a trace."""

    def seen(trace_id: str) -> bool:
        try:
            with urllib.request.urlopen(f"{url}/api/v1/traces/{trace_id}", timeout=60):
                return True
        except urllib.error.HTTPError:
            return False

    return seen


def over_sqlite(path: Path, table: str = "traces", column: str = "trace_id", prefix: str = "") -> Callable[[str], bool]:
    """Ask a peer's database for a trace; the names are Phoenix's when left out."""
    question = f"select 1 from {table} where {column} = ?"

    def seen(trace_id: str) -> bool:
        try:
            with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
                return connection.execute(question, (prefix + trace_id,)).fetchone() is not None
        except sqlite3.OperationalError:
            return False

    return seen
