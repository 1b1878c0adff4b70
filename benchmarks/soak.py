"""Memory over ten minutes at a steady rate: `python -m benchmarks.soak [MINUTES]`."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.machine import ROOT, watchkeeper

RATE = 3_000
MINUTES = 10
EVERY = 5.0


def main(minutes: float = MINUTES) -> list[str]:
    """Measure and return the table as Markdown lines; medians of the half minute that ends at each mark."""
    command = [sys.executable, "-m", "benchmarks.load", "", "--seconds", str(minutes * 60), "--rate", str(RATE)]
    samples: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as scratch, watchkeeper(Path(scratch) / "data") as server:
        command[3] = server.url
        begun = time.monotonic()
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as load:
            while load.poll() is None:
                samples.append((time.monotonic() - begun, server.rss_mib()))
                time.sleep(EVERY)
            assert load.stdout is not None
            result = json.loads(load.stdout.read())
    first, last = (_around(samples, minutes * 60 * share) for share in (0.2, 1.0))
    rows = [
        "| what | result |",
        "|---|---|",
        f"| arriving, acknowledged, refused | {RATE:,} spans/s, {result['acknowledged']:,}, {result['refused']:,} |",
        f"| acknowledged after, p50 and p99 | {result['p50_ms']} ms, {result['p99_ms']} ms |",
        f"| memory at minute {minutes * 0.2:g}, packing processes included | {first:.0f} MiB |",
        f"| memory at minute {minutes:g} | {last:.0f} MiB |",
        f"| growth | {(last / first - 1) * 100:+.1f} % |",
        f"| highest seen | {max(one for _, one in samples):.0f} MiB |",
    ]
    print("\n".join(rows), flush=True)
    return rows


def _around(samples: list[tuple[float, float]], moment: float) -> float:
    return statistics.median(rss for at, rss in samples if moment - 30 <= at <= moment)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else MINUTES)
