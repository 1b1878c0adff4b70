"""What masking costs on arrival: microseconds of CPU a span, by mode, by size, and by how much there is to find."""

from __future__ import annotations

import gc
import statistics
import time

from benchmarks.load import SPAN_BYTES, SPANS, Template, text_of
from watchkeeper.guard import Masker, Mode, Pseudonyms
from watchkeeper.ingest import decode_traces
from watchkeeper.model import RawSpan

_ROUNDS = 11
_LARGE = 50_000
_HITS = 10
_FOUND = (
    "write to jane{n}@example.com", "call +41 44 668 18 0{n}", "my key is sk-" + "proj-A1b2C3d4E5f6G7h8I9j{n}",
    "card 4111 1111 1111 1111", "password=hunter2{n}",
)  # fmt: skip


def spans(size: int, hits: int) -> list[RawSpan]:
    """Return a request's spans of about `size` bytes, each with `hits` things to mask in its last text."""
    found = decode_traces(bytes(Template().make(1, 1, time.time_ns())), "application/x-protobuf").spans
    planted = ". ".join(_FOUND[n % len(_FOUND)].format(n=n) for n in range(hits))
    for index, span in enumerate(found):
        text = text_of(index, size - SPAN_BYTES) if size > SPAN_BYTES else ""
        if text or planted:
            span.attributes["app.note"] = f"{text} {planted}"
    return list(found)


def cost(batch: list[RawSpan], mode: Mode) -> tuple[float, int]:
    """Return microseconds of CPU a span, the median of the rounds, and how many things were masked in a round."""
    masker = Masker(Pseudonyms(b"0" * 32))
    times: list[float] = []
    count = 0
    for _ in range(_ROUNDS + 1):
        gc.collect()
        one = masker.batch()
        start = time.process_time_ns()
        counts = [found for _, found in one.spans(batch, [mode] * len(batch))]
        times.append((time.process_time_ns() - start) / 1_000 / len(batch))
        count = sum(sum(found.values()) for found in counts)
    return statistics.median(times[1:]), count


def main() -> list[str]:
    """Measure and return the table as Markdown lines."""
    rows = [
        f"Requests of {SPANS} spans, CPU of one core, median of {_ROUNDS}. `full` masks secrets only; `off` drops content first.",
        "",
        "| span | to find in each | mode | µs a span | masked or dropped a span |",
        "|---|---|---|---|---|",
    ]
    modes: tuple[Mode, ...] = ("full", "masked", "off")
    for size in (SPAN_BYTES, _LARGE):
        for hits in (0, _HITS):
            batch = spans(size, hits)
            for mode in modes:
                took, count = cost(batch, mode)
                rows.append(f"| {size / 1000:.1f} kB | {hits} | `{mode}` | {took:.1f} | {count / SPANS:.1f} |")
    return rows


if __name__ == "__main__":
    print("\n".join(main()))
