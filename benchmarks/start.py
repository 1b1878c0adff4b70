"""From exec to the first `/readyz` 200, and memory when empty: ours and Phoenix's."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.machine import install_phoenix, phoenix, watchkeeper

RUNS = 5
IDLE_SECONDS = 60


def main(idle: float = IDLE_SECONDS) -> list[str]:
    """Measure and return the table as Markdown lines."""
    install_phoenix()
    rows = ["| server | ready, migrated folder, median of 5 | RSS after a minute, empty |", "|---|---|---|"]
    for name, run in (("Watchkeeper", watchkeeper), ("Phoenix 20.26", phoenix)):
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "data"
            with run(folder):
                pass
            times = []
            memory = 0.0
            for number in range(RUNS):
                with run(folder) as server:
                    times.append(server.ready_seconds)
                    if number == RUNS - 1:
                        time.sleep(idle)
                        memory = server.rss_mib()
        rows.append(f"| {name} | {statistics.median(times):.2f} s | {memory:.0f} MiB |")
        print(rows[-1], flush=True)
    rows += ["", f"`import watchkeeper` over bare Python, median of 11: {_import_ms():.0f} ms."]
    return rows


def _import_ms() -> float:
    def once(code: str) -> float:
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        return (time.perf_counter() - begun) * 1e3

    with_it, without = [], []
    for _ in range(11):
        without.append(once("pass"))
        with_it.append(once("import watchkeeper"))
    return statistics.median(with_it) - statistics.median(without)


if __name__ == "__main__":
    print("\n".join(main()[-1:]))
