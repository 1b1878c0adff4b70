"""Durable ingest, ours against Phoenix and MLflow, in one run: acknowledged a second, and stored a second."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.machine import ROOT, Server, install_mlflow, install_phoenix, mlflow, phoenix, watchkeeper
from benchmarks.probe import Probe, over_api, over_sqlite

_EXPERIMENT = ("--header", "x-mlflow-experiment-id=0")


def drive(url: str, seconds: float, *extra: str) -> dict[str, float]:
    """Run the load generator in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.load", url, "--seconds", str(seconds), *extra]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    answer: dict[str, float] = json.loads(done.stdout)
    return answer


def ours(folder: Path, seconds: float, *extra: str) -> dict[str, float]:
    """Load our server, then count what it holds after a restart."""
    with watchkeeper(folder) as server:
        result = _measured(server, over_api(server.url), seconds, *extra)
    with watchkeeper(folder) as server:
        result["stored"] = _status(server.url)["spans"]
    result["stored_per_s"] = round(result["stored"] / result["seconds"])
    return result


def theirs(folder: Path, seconds: float, *extra: str) -> dict[str, float]:
    """Load Phoenix, then count what its database holds when the load ends and half a minute later."""
    with phoenix(folder) as server:
        before = time.monotonic()
        result = _measured(server, over_sqlite(folder / "phoenix.db"), seconds, *extra)
        result["stored"] = _count(folder / "phoenix.db")
        result["stored_per_s"] = round(result["stored"] / (time.monotonic() - before))
    return result


def mlflows(folder: Path, seconds: float, *extra: str) -> dict[str, float]:
    """Load MLflow, then count what its database holds."""
    path = folder / "mlflow.db"
    with mlflow(folder) as server:
        result = _measured(server, over_sqlite(path, "trace_info", "request_id", "tr-"), seconds, *extra, *_EXPERIMENT)
        result["stored"] = _count(path)
        result["stored_per_s"] = round(result["stored"] / result["seconds"])
    return result


def _measured(server: Server, seen: Callable[[str], bool], seconds: float, *extra: str) -> dict[str, float]:
    cpu = server.cpu_seconds()
    probe = Probe(server.url, seen, dict(one.split("=", 1) for one in extra if "=" in one))
    probe.start()
    result = drive(server.url, seconds, *extra)
    probe.stop.set()
    probe.join()
    result["visible_p50_ms"], result["visible_p99_ms"] = probe.percentile_ms(0.5), probe.percentile_ms(0.99)
    result["probes"] = len(probe.seconds)
    result["server_cpu_s"] = round(server.cpu_seconds() - cpu, 1)
    result["rss_mib"] = round(server.rss_mib())
    return result


def _status(url: str) -> dict[str, int]:
    with urllib.request.urlopen(f"{url}/api/v1/status", timeout=30) as answer:
        found: dict[str, int] = json.load(answer)
        return found


def _count(path: Path) -> int:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        return int(connection.execute("select count(*) from spans").fetchone()[0])


def _row(cells: Sequence[object]) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def main(seconds: float = 60) -> list[str]:
    """Measure and return the table as Markdown lines."""
    install_phoenix()
    install_mlflow()
    heads = (
        "server", "dialect", "acknowledged/s", "stored/s", "refused", "p50 ms", "p99 ms", "to visible p50, p99 ms (probes)",
        "server CPU s", "generator CPU s", "RSS MiB",
    )  # fmt: skip
    rows = [_row(heads), "|---" * len(heads) + "|"]
    for name, run in (("Watchkeeper", ours), ("Phoenix 20.26", theirs), ("MLflow 3.17", mlflows)):
        for dialect in ("otel", "openinference"):
            with tempfile.TemporaryDirectory() as scratch:
                got = run(Path(scratch) / "data", seconds, "--dialect", dialect)
            visible = f"{got['visible_p50_ms']:,}, {got['visible_p99_ms']:,} ({got['probes']})"
            rates = (f"{got['acknowledged_per_s']:,}", f"{got['stored_per_s']:,}", f"{got['refused']:,}")
            spent = (got["server_cpu_s"], got["generator_cpu_s"], got["rss_mib"])
            rows.append(_row((name, dialect, *rates, got["p50_ms"], got["p99_ms"], visible, *spent)))
            print(rows[-1], flush=True)
    return rows


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 60)
