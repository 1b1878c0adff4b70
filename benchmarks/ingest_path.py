"""The hot path alone, on one core: what a span of 3.4 kB costs to decode, to map and to price."""

from __future__ import annotations

import gc
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from google.protobuf.json_format import MessageToJson
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from benchmarks.load import SPANS, Template
from watchkeeper.ingest import decode_traces, map_span
from watchkeeper.pricing import Pricer

_PARTS = 5
PROTOBUF, JSON = "application/x-protobuf", "application/json"
FIXTURES = Path(__file__).parents[1] / "tests" / "ingest" / "fixtures"


def stages(body: bytes, media: str, rounds: int) -> dict[str, float]:
    """Return microseconds a span by stage: the least of five medians, for neighbours on the machine only ever add."""
    pricer = Pricer()
    raws = decode_traces(body, media).spans
    mapped = [map_span("bench", raw, 1) for raw in raws]
    work: dict[str, Callable[[], object]] = {
        "decode": lambda: decode_traces(body, media),
        "map": lambda: [map_span("bench", raw, 1) for raw in raws],
        "price": lambda: [pricer.price(span) for span in mapped],
    }
    found = {name: _microseconds(run, rounds) / len(raws) for name, run in work.items()}
    return {**found, "total": sum(found.values())}


def _microseconds(run: Callable[[], object], rounds: int) -> float:
    run()
    medians: list[float] = []
    gc.collect()
    for _ in range(_PARTS):
        times: list[float] = []
        for _ in range(-(-rounds // _PARTS)):
            start = time.perf_counter_ns()
            run()
            times.append((time.perf_counter_ns() - start) / 1_000)
        medians.append(statistics.median(times))
    return min(medians)


def main(rounds: int = 100) -> list[str]:
    """Measure and return the table as Markdown lines."""
    now = time.time_ns()
    cases = {
        f"{dialect}, {SPANS} spans of 3.4 kB": (bytes(Template(dialect).make(1, 1, now)), PROTOBUF)
        for dialect in ("otel", "openinference")
    }
    request = ExportTraceServiceRequest.FromString(cases[f"otel, {SPANS} spans of 3.4 kB"][0])
    cases["otel, the same as JSON"] = (MessageToJson(request).encode(), JSON)
    for path in sorted(FIXTURES.glob("*.traces.pb")):
        cases[f"recorded {path.name.partition('.')[0]}"] = (path.read_bytes(), PROTOBUF)
    rows = ["| request | bytes a span | decode µs | map µs | price µs | total µs |", "|---|---|---|---|---|---|"]
    for name, (body, media) in cases.items():
        count = len(decode_traces(body, media).spans)
        got = stages(body, media, rounds)
        figures = " | ".join(f"{got[stage]:.1f}" for stage in ("decode", "map", "price", "total"))
        rows.append(f"| {name} | {len(body) // count:,} | {figures} |")
    return rows


if __name__ == "__main__":
    if sys.argv[1:] == ["--json"]:
        print(json.dumps(stages(bytes(Template().make(1, 1, time.time_ns())), PROTOBUF, 50)))
    else:
        print("\n".join(main()))
