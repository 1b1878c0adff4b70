"""What `/metrics` costs: microseconds a span at ingest, and a scrape of the largest page there can be."""

from __future__ import annotations

import gzip
import statistics
import time

from benchmarks.load import SPANS, Template
from watchkeeper.ingest import decode_traces, map_span
from watchkeeper.model import Span
from watchkeeper.pricing import Pricer
from watchkeeper.server.figures import Figures, figures_of
from watchkeeper.server.metrics import Metrics
from watchkeeper.store.factory import open_span_store

OPENMETRICS = "application/openmetrics-text;version=1.0.0"
_ROUNDS = 200


def _metrics() -> Metrics:
    return Metrics(open_span_store(None, refine=map_span, memory_mib=64))


def counting(spans: list[Figures]) -> float:
    """Return microseconds a span, the median of the rounds."""
    metrics = _metrics()
    times: list[float] = []
    for _ in range(_ROUNDS):
        start = time.perf_counter_ns()
        metrics.stored(spans, ["inserted"] * len(spans))
        times.append((time.perf_counter_ns() - start) / 1_000 / len(spans))
    return statistics.median(times)


def scraping() -> tuple[float, float, int, int]:
    """Return ms to write the largest page, ms the ingest path waits meanwhile, its lines, and its size packed."""
    metrics = _metrics()
    for project in range(4):
        spans = [_call(f"p{project}", f"s{n % 60}", f"m{n // 60}") for n in range(400)]
        metrics.stored(spans, ["inserted"] * len(spans))
    times: list[float] = []
    for _ in range(20):
        start = time.perf_counter_ns()
        body, _ = metrics.page(OPENMETRICS)
        times.append((time.perf_counter_ns() - start) / 1e6)
    held = time.perf_counter_ns()
    metrics._calls.snapshot()  # noqa: SLF001 - the part that is under the lock
    wait = (time.perf_counter_ns() - held) / 1e6
    return statistics.median(times), wait, body.count(b"\n"), len(gzip.compress(body, 1))


def _call(project: str, service: str, model: str) -> Figures:
    raw = decode_traces(bytes(Template().make(1, 1, time.time_ns())), "application/x-protobuf").spans[0]
    fields = {"time_to_first_token_ns": 10**8, "received_at": time.time_ns(), "kind": "llm", "duration_ns": 10**9}
    named = {"project": project, "service": service, "provider": "x", "model": model, "operation": "chat"}
    made = Span(raw=raw, trace_id=raw.trace_id, span_id=raw.span_id, **named, **fields)  # type: ignore[arg-type]
    return figures_of([made])[0]


def main() -> list[str]:
    """Measure and return the table as Markdown lines."""
    pricer = Pricer()
    raws = decode_traces(bytes(Template().make(1, 1, time.time_ns())), "application/x-protobuf").spans
    spans = figures_of([pricer.price(map_span("bench", raw, time.time_ns())) for raw in raws])
    calls = sum(span.kind == "llm" for span in spans)
    took, wait, lines, packed = scraping()
    return [
        "| what | result |",
        "|---|---|",
        f"| counting a span, batches of {SPANS}, {calls} of them model calls, median of {_ROUNDS} | {counting(spans):.2f} µs |",
        f"| writing the largest page, {lines:,} lines, off the event loop, median of 20 | {took:.0f} ms |",
        f"| of which ingest waits for the lock | {wait:.1f} ms |",
        f"| its size over the wire, gzip | {packed / 1024:.0f} KiB |",
    ]


if __name__ == "__main__":
    print("\n".join(main()))
