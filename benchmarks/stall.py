"""How long exports and reads wait while the store is backed up, and while it is written anew after an erasure.

A server is filled over HTTP; then one connection exports at a steady pace and another reads the newest traces, while
nothing else happens, while `watchkeeper backup` runs, and while an erasure has the file written anew. One command:
`python -m benchmarks.stall`. Prints a table and a JSON line.
"""

from __future__ import annotations

import argparse
import http.client
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.load import SPANS, Template
from benchmarks.machine import Server, describe, watchkeeper

_EXPORT_PACE = 0.2
_READ_PACE = 1.0
_QUIET = 15.0
_LANES = 4
_JSON = {"Content-Type": "application/json"}
_PROTOBUF = {"Content-Type": "application/x-protobuf"}


class Probe(threading.Thread):
    """Asks the same thing again and again at a pace, and keeps how long each answer took, and what was refused."""

    def __init__(self, url: str, ask: Callable[[http.client.HTTPConnection], int], pace: float) -> None:
        super().__init__(daemon=True)
        self._host = urlsplit(url).netloc
        self._ask = ask
        self._pace = pace
        self._done = threading.Event()
        self.took: list[float] = []
        self.refused = 0

    def run(self) -> None:
        """Ask until stopped; a request that is late is asked at once, and its wait counts from when it was due."""
        connection = http.client.HTTPConnection(self._host, timeout=120)
        due = time.perf_counter()
        while not self._done.is_set():
            try:
                status = self._ask(connection)
            except (OSError, http.client.HTTPException) as error:
                print(f"no answer: {error!r}", file=sys.stderr)
                connection.close()  # the next request opens it again
                status = 0
            self.took.append(time.perf_counter() - due)
            self.refused += status != 200
            due += self._pace
            time.sleep(max(0.0, due - time.perf_counter()))

    def stop(self) -> dict[str, float]:
        """End, and return the figures in milliseconds."""
        self._done.set()
        self.join()
        sorted_ = sorted(self.took)
        return {
            "count": len(sorted_),
            "p50": 1e3 * sorted_[len(sorted_) // 2],
            "p99": 1e3 * sorted_[int(len(sorted_) * 0.99)],
            "max": 1e3 * sorted_[-1],
            "refused": self.refused,
        }


class Exports:
    """Exports whose span ids never come twice."""

    def __init__(self, lane: int) -> None:
        self._lane = lane
        self._serial = 0
        self._template = Template()

    def send(self, connection: http.client.HTTPConnection) -> int:
        """Send one request; return the status."""
        body = self._template.make(self._lane, self._serial, time.time_ns())
        self._serial += 1
        connection.request("POST", "/v1/traces", body, _PROTOBUF)
        answer = connection.getresponse()
        answer.read()
        return answer.status


def _read(connection: http.client.HTTPConnection) -> int:
    connection.request("GET", "/api/v1/traces?limit=50")
    answer = connection.getresponse()
    answer.read()
    return answer.status


def _fill(url: str, spans: int) -> None:
    def lane(number: int) -> None:
        connection, exports = http.client.HTTPConnection(urlsplit(url).netloc, timeout=120), Exports(number)
        left = spans // SPANS // _LANES
        while left:
            if exports.send(connection) == 200:
                left -= 1
            else:
                time.sleep(0.2)

    with ThreadPoolExecutor(_LANES) as pool:
        list(pool.map(lane, range(1, _LANES + 1)))


def _json(url: str, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON is any shape
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=120)
    connection.request(method, f"/api/v1{path}", None if body is None else json.dumps(body), _JSON)
    answer = connection.getresponse()
    text = answer.read()
    if answer.status >= 300:
        raise RuntimeError(f"{method} {path}: {answer.status} {text[:300]!r}")
    return json.loads(text)


def _back_up(folder: Path, target: Path) -> None:
    words = [sys.executable, "-m", "watchkeeper.cli", "backup", str(target), "--force", "--data-dir", str(folder)]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)


def _erase(url: str) -> None:
    """Erase the oldest trace, and wait until the file was written anew for it."""
    before = _json(url, "GET", "/status")["housekeeping"]["last_reclaim"]
    oldest = _json(url, "POST", "/query", {"sql": "SELECT trace_id FROM spans ORDER BY start_time LIMIT 1"})["rows"][0][
        0
    ]
    _json(url, "POST", "/erasures", {"trace": oldest})
    deadline = time.monotonic() + 900
    while time.monotonic() < deadline:
        house = _json(url, "GET", "/status")["housekeeping"]
        if house["last_reclaim"] != before and house["reclaim_due"] is None:
            return
        if house["failure"]:
            raise RuntimeError(house["failure"])
        time.sleep(0.5)
    raise RuntimeError("the store was not written anew within fifteen minutes")


def _phase(server: Server, lane: int, work: Callable[[], None]) -> dict[str, Any]:
    exports = Exports(lane)
    probes = {"export": Probe(server.url, exports.send, _EXPORT_PACE), "read": Probe(server.url, _read, _READ_PACE)}
    for probe in probes.values():
        probe.start()
    began = time.perf_counter()
    work()
    seconds = time.perf_counter() - began
    return {"seconds": seconds, **{name: probe.stop() for name, probe in probes.items()}}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, default=200_000)
    spans = parser.parse_args().spans
    with tempfile.TemporaryDirectory() as name:
        folder, target = Path(name) / "data", Path(name) / "b.zip"
        with watchkeeper(folder) as server:
            _fill(server.url, spans)
            _json(server.url, "POST", "/query", {"sql": "SELECT count(*) FROM spans"})
            time.sleep(5)
            status = _json(server.url, "GET", "/status")
            phases = {
                "nothing else": _phase(server, 11, lambda: time.sleep(_QUIET)),
                "backup": _phase(server, 12, lambda: _back_up(folder, target)),
                "erase and rewrite": _phase(server, 13, lambda: _erase(server.url)),
            }
            size = target.stat().st_size
    print(
        f"{describe()}\n{status['spans']:,} spans, {status['disk_bytes'] / 2**20:.0f} MiB; backup {size / 2**20:.0f} MiB"
    )
    print(
        f"an export of {SPANS} spans every {_EXPORT_PACE:.1f} s, a read every {_READ_PACE:.1f} s, on time or late; ms\n"
    )
    print(
        "| while | s | export p50 | p99 | max | refused | read p50 | p99 | max |\n|---|---|---|---|---|---|---|---|---|"
    )
    for name_, phase in phases.items():
        export, read = phase["export"], phase["read"]
        print(
            f"| {name_} | {phase['seconds']:.1f} | {export['p50']:.0f} | {export['p99']:.0f} | {export['max']:.0f} "
            f"| {export['refused'] + read['refused']:.0f} | {read['p50']:.0f} | {read['p99']:.0f} | {read['max']:.0f} |"
        )
    print(json.dumps({"spans": status["spans"], "backup_bytes": size, **phases}))


if __name__ == "__main__":
    main()
