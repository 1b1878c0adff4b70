"""One SDK's cost, in a process of its own: `python sdk_one.py NAME SINK FAKE` prints a JSON line.

It imports neither Watchkeeper nor the other benchmarks, so that it also runs in the peers' own environment. Calls are made
bare first, then instrumented: some SDKs patch the client's class and cannot be taken off again.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import httpx2
from openai import OpenAI

CALLS = 200
ROUNDS = 5
MESSAGES: list[Any] = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "word " * 200}]

Client = Any
Flush = Callable[[], object]


def main() -> None:
    """Measure one and print it."""
    name, sink, fake = sys.argv[1:]
    bare = OpenAI(base_url=fake, api_key="x")
    answer = bare.chat.completions.with_raw_response.create(model="gpt-4o-mini", messages=MESSAGES).text
    before = _cost(bare, lambda: None)
    quick_before = _quick(OpenAI, answer)
    make, flush = INSTRUMENT[name](sink)
    client = make(base_url=fake, api_key="x")
    after = _cost(client, flush)
    quick_after = _quick(make, answer)
    flush()
    print(
        json.dumps(
            {
                "bare_ms": before[0],
                "wall_ms": after[0] - before[0],
                "cpu_ms": after[1] - before[1],
                "caller_ms": quick_after - quick_before,
            }
        )
    )


def _cost(client: Client, flush: Flush) -> tuple[float, float]:
    """Return wall and CPU milliseconds a call, exporting included in the latter; medians of the rounds."""
    walls, cpus = [], []
    for number in range(ROUNDS + 1):
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(CALLS):
            client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES)
        wall = time.perf_counter() - wall
        flush()
        cpu = time.process_time() - cpu
        if number:  # the first round warms up
            walls.append(wall * 1e3 / CALLS)
            cpus.append(cpu * 1e3 / CALLS)
    return statistics.median(walls), statistics.median(cpus)


def _quick(make: Callable[..., Client], answer: str) -> float:
    """Time calls that a transport in this process answers: no socket, no server; milliseconds, the median."""
    headers = {"Content-Type": "application/json"}
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, headers=headers, text=answer))
    client = make(api_key="x", http_client=httpx2.Client(transport=transport))
    times = []
    for _ in range(CALLS * ROUNDS):
        begun = time.perf_counter()
        client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES)
        times.append((time.perf_counter() - begun) * 1e3)
    return statistics.median(times)


def _watchkeeper(sink: str) -> tuple[Callable[..., Client], Flush]:
    import watchkeeper as wk

    wk.init("bench", endpoint=sink)
    return lambda **words: wk.wrap(OpenAI(**words)), wk.flush


def _provider(sink: str) -> Any:  # noqa: ANN401 - the peers' OpenTelemetry
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{sink}/v1/traces"), max_queue_size=65_536))
    return provider


def _openinference(sink: str) -> tuple[Callable[..., Client], Flush]:
    from openinference.instrumentation.openai import OpenAIInstrumentor  # type: ignore[import-not-found]

    provider = _provider(sink)
    OpenAIInstrumentor().instrument(tracer_provider=provider)
    return OpenAI, provider.force_flush


def _openllmetry(sink: str) -> tuple[Callable[..., Client], Flush]:
    from opentelemetry.instrumentation.openai import OpenAIInstrumentor  # type: ignore[import-not-found]

    provider = _provider(sink)
    OpenAIInstrumentor().instrument(tracer_provider=provider)
    return OpenAI, provider.force_flush


def _logfire(sink: str) -> tuple[Callable[..., Client], Flush]:
    import logfire  # type: ignore[import-not-found]
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    processor = BatchSpanProcessor(OTLPSpanExporter(f"{sink}/v1/traces"), max_queue_size=65_536)
    logfire.configure(send_to_logfire=False, console=False, additional_span_processors=[processor])
    logfire.instrument_openai()
    return OpenAI, logfire.force_flush


def _langfuse(sink: str) -> tuple[Callable[..., Client], Flush]:
    from langfuse import Langfuse  # type: ignore[import-not-found]

    client = Langfuse(public_key="pk-lf-x", secret_key="sk-lf-x", base_url=sink)
    from langfuse.openai import OpenAI as Traced  # type: ignore[import-not-found]

    return Traced, client.flush


INSTRUMENT: dict[str, Callable[[str], tuple[Callable[..., Client], Flush]]] = {
    "watchkeeper": _watchkeeper,
    "langfuse": _langfuse,
    "openinference": _openinference,
    "logfire": _logfire,
    "openllmetry": _openllmetry,
}

if __name__ == "__main__":
    main()
