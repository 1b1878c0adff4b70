"""`kill -9` of the real server under load, again and again: acknowledged against stored.

Every run loads the server over four connections, kills it at a random moment, opens the folder anew
and compares keys: an acknowledged span that is missing is lost, a key that is there twice is doubled.
"""

from __future__ import annotations

import argparse
import http.client
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from benchmarks.load import SPANS, Template
from benchmarks.machine import describe
from watchkeeper.ingest import map_span
from watchkeeper.store.api import SpanFilter
from watchkeeper.store.factory import open_span_store

CONNECTIONS = 4


class Sender(threading.Thread):
    """One connection; remembers the requests that were answered with 200 until the server is gone."""

    def __init__(self, port: int, number: int, template: Template) -> None:
        super().__init__(daemon=True)
        self._port = port
        self._number = number
        self._template = template
        self.acknowledged: list[int] = []

    def run(self) -> None:
        """Send until the connection breaks."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        serial = 0
        try:
            while True:
                body = self._template.make(self._number, serial, time.time_ns())
                connection.request("POST", "/v1/traces", body, {"Content-Type": "application/x-protobuf"})
                answer = connection.getresponse()
                answer.read()
                if answer.status == 200:
                    self.acknowledged.append(serial)
                serial += 1
        except (OSError, http.client.HTTPException):
            return

    def keys(self) -> set[str]:
        """Return the span ids that were acknowledged; no two requests share one."""
        stamps = (self._number.to_bytes(2) + serial.to_bytes(4) for serial in self.acknowledged)
        return {(stamp + (index + 1).to_bytes(2)).hex() for stamp in stamps for index in range(SPANS)}


def once(folder: Path, port: int, run: int, rng: random.Random, template: Template) -> tuple[int, int, int]:
    """Load, kill, reopen; return acknowledged, lost and doubled spans."""
    begun = time.time_ns()
    command = [sys.executable, "-m", "watchkeeper.cli", "serve", "--port", str(port), "--data-dir", str(folder)]
    environment = {**os.environ, "WATCHKEEPER_GRPC_PORT": "0"}
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _wait_ready(port)
    senders = [Sender(port, run * CONNECTIONS + number, template) for number in range(CONNECTIONS)]
    for sender in senders:
        sender.start()
    time.sleep(rng.uniform(0.2, 2.5))
    os.kill(server.pid, signal.SIGKILL)
    server.wait()
    for sender in senders:
        sender.join(30)
    sent = set[str]().union(*(sender.keys() for sender in senders))
    store = open_span_store(folder, refine=map_span)
    stored = Counter(span.span_id for span in store.scan_spans("default", SpanFilter(since=begun)))
    store.close()
    return len(sent), len(sent - stored.keys()), sum(count - 1 for count in stored.values())


def _wait_ready(port: int) -> None:
    for _ in range(600):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.05)
        finally:
            connection.close()
    raise RuntimeError("the server did not come up")


def main() -> None:
    """Kill as often as asked; print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--port", type=int, default=7988)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    rng, template = random.Random(given.seed), Template()
    totals = [0, 0, 0]
    with tempfile.TemporaryDirectory() as folder:
        for run in range(given.kills):
            found = once(Path(folder), given.port, run, rng, template)
            totals = [one + more for one, more in zip(totals, found, strict=True)]
            if sys.stderr.isatty():
                print(f"\r{run + 1}/{given.kills}", end="", file=sys.stderr)
    print(describe())
    print("| kills | acknowledged spans | lost | doubled |\n|---|---|---|---|")
    print(f"| {given.kills} | {totals[0]:,} | {totals[1]} | {totals[2]} |")


if __name__ == "__main__":
    main()
