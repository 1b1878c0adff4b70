"""`make bench`: everything, peers in the same run; writes RESULTS.md.

Name parts to run those alone (`path ingest soak start sdk metrics capture queries`); the other sections of RESULTS.md stay.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import capture, ingest, ingest_path, metrics_cost, queries, sdk_cost, soak, start
from benchmarks.machine import describe

RESULTS = Path(__file__).parent / "RESULTS.md"
HEAD = """# Results

Written by `make bench`. Two shared, noisy cores: read ratios, not digits. Spans are 3.4 kB (OTel GenAI) or 3.0 kB
(OpenInference), 100 a request, 4 connections. "Stored" is what is in the database: ours counted after a restart, the
peers' when the load ends (Phoenix acknowledges before it stores). "To visible" runs from sending a span to reading it back,
ours over the API, the peers' from their database; 20,000 ms stands for one that did not come within 20 s.
"""


def main() -> None:
    """Run the parts and write the file."""
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "parts", nargs="*", help="path, ingest, soak, start, sdk, metrics, capture, queries; all when left out"
    )
    parser.add_argument("--seconds", type=float, default=60, help="length of each ingest run")
    parser.add_argument("--spans", type=int, default=1_000_000, help="spans for the questions")
    given = parser.parse_args()
    parts: dict[str, tuple[str, Callable[[], list[str]]]] = {
        "path": (
            "To decode, map and price a span, by client; one core, least of five medians",
            ingest_path.main,
        ),
        "ingest": (f"Durable ingest, {given.seconds:.0f} s each", lambda: ingest.main(given.seconds)),
        "soak": ("Memory at 3,000 spans/s, ten minutes", soak.main),
        "start": ("Start and memory", start.main),
        "sdk": ("SDK cost", sdk_cost.main),
        "metrics": ("Cost of /metrics", metrics_cost.main),
        "capture": ("Cost of masking", capture.main),
        "queries": (
            f"Questions at {given.spans:,} spans, idle and while 3,000 arrive a second",
            lambda: queries.main(given.spans),
        ),
    }
    for name in given.parts or parts:
        title, run = parts[name]
        print(f"== {title}", flush=True)
        lines = run()
        stamp = f"{datetime.now(UTC):%Y-%m-%d}, {describe()}"
        write(name, [f"## {title}", "", stamp, "", *lines, ""])


def write(name: str, lines: list[str]) -> None:
    """Put one section into the file, in place of its older self."""
    text = RESULTS.read_text() if RESULTS.is_file() else HEAD
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    section = "\n".join([begin, *lines, end])
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    text = pattern.sub(lambda _: section, text) if pattern.search(text) else f"{text.rstrip()}\n\n{section}\n"
    RESULTS.write_text(text)


if __name__ == "__main__":
    main()
