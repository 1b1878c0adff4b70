"""The load: OTLP requests of 100 spans of 3.4 kB, ids and times patched into a template so that making them is cheap.

As a script it drives one server and prints a JSON line; its own CPU is part of the answer.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import statistics
import threading
import time
from urllib.parse import urlsplit

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

SPANS = 100
SPAN_BYTES = 3_400
TRACE_SPANS = 10
MODELS = ("gpt-4o-mini", "gpt-4o", "claude-sonnet-4-5", "mistral-small-latest")
_SENTENCE = "the quick brown fox jumps over the lazy dog while seven wizards pack a box with jugs of amber"
WORDS = _SENTENCE.split()


def _value(value: object) -> AnyValue:
    if isinstance(value, str):
        return AnyValue(string_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    raise TypeError(type(value).__name__)


def _attributes(pairs: dict[str, object]) -> list[KeyValue]:
    return [KeyValue(key=key, value=_value(value)) for key, value in pairs.items()]


def text_of(seed: int, size: int) -> str:
    """Return prose of that many characters, another for each seed."""
    words: list[str] = []
    length = 0
    while length < size:
        word = WORDS[(seed * 7 + len(words) * 13 + len(words) ** 2 % 17) % len(WORDS)] + str((seed * len(words)) % 97)
        words.append(word)
        length += len(word) + 1
    return " ".join(words)[:size]


class Template:
    """A serialised request whose ids and times can be overwritten in place."""

    def __init__(self, dialect: str = "otel") -> None:
        request = ExportTraceServiceRequest()
        resource = request.resource_spans.add()
        resource.resource.attributes.extend(
            _attributes({"service.name": "bench", "deployment.environment.name": "test"})
        )
        scope = resource.scope_spans.add()
        scope.scope.name = "bench"
        self._marks: list[tuple[bytes, int]] = []
        for index in range(SPANS):
            span = scope.spans.add()
            root = index % TRACE_SPANS == 0
            span.trace_id = b"TRACE" + index.to_bytes(3) + b"trace-id"
            span.span_id = b"SPAN" + index.to_bytes(4)
            if not root:
                span.parent_span_id = b"SPAN" + (index - index % TRACE_SPANS).to_bytes(4)
            span.trace_id = b"TRACE" + (index - index % TRACE_SPANS).to_bytes(3) + b"trace-id"
            span.name = "agent" if root else "chat"
            span.kind = Span.SPAN_KIND_CLIENT
            span.start_time_unix_nano = int.from_bytes(b"STRT" + index.to_bytes(4), "little")
            span.end_time_unix_nano = int.from_bytes(b"ENDT" + index.to_bytes(4), "little")
            span.attributes.extend(_attributes(_agent(index) if root else _chat(index, dialect)))
        self._body = request.SerializeToString()
        self._find()

    @property
    def size(self) -> int:
        """Return the body's length in bytes."""
        return len(self._body)

    def _find(self) -> None:
        self._times: list[tuple[int, bool, int]] = []
        self._traces: list[tuple[int, int]] = []
        self._spans: list[tuple[int, int]] = []
        for index in range(SPANS):
            for mark, end in ((b"STRT", False), (b"ENDT", True)):
                place = self._body.index(mark + index.to_bytes(4))
                self._times.append((place, end, index))
        start = 0
        while (place := self._body.find(b"TRACE", start)) >= 0:
            self._traces.append((place, int.from_bytes(self._body[place + 5 : place + 8])))
            start = place + 16
        start = 0
        while (place := self._body.find(b"SPAN", start)) >= 0:
            self._spans.append((place, int.from_bytes(self._body[place + 4 : place + 8])))
            start = place + 8

    def make(self, worker: int, serial: int, now_ns: int) -> bytearray:
        """Return a request whose ids nobody else has."""
        body = bytearray(self._body)
        stamp = worker.to_bytes(2) + serial.to_bytes(4)
        for place, group in self._traces:
            body[place : place + 16] = b"\x01\x02" + stamp + group.to_bytes(2) + stamp
        for place, index in self._spans:
            body[place : place + 8] = stamp + (index + 1).to_bytes(2)
        for place, end, index in self._times:
            moment = now_ns + index * 1_000 + (400_000_000 + 7_000_000 * (serial % 100) if end else 0)
            body[place : place + 8] = moment.to_bytes(8, "little")
        return body


def _agent(index: int) -> dict[str, object]:
    return {
        "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "bot", "user.id": f"user-{index}",
        "session.id": f"session-{index}", "padding": text_of(index, SPAN_BYTES - 330),
    }  # fmt: skip


def _chat(index: int, dialect: str) -> dict[str, object]:
    model = MODELS[index % len(MODELS)]
    provider = {"g": "openai", "c": "anthropic", "m": "mistral_ai"}[model[0]]
    question, answer = text_of(index, 1_500), text_of(index + 1, 1_050)
    if dialect == "openinference":
        return {
            "openinference.span.kind": "LLM", "llm.model_name": model, "llm.provider": provider,
            "llm.token_count.prompt": 400 + index, "llm.token_count.completion": 200 + index,
            "llm.input_messages.0.message.role": "user", "llm.input_messages.0.message.content": question,
            "llm.output_messages.0.message.role": "assistant", "llm.output_messages.0.message.content": answer,
        }  # fmt: skip
    return {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": provider, "gen_ai.request.model": model,
        "gen_ai.response.model": model, "gen_ai.usage.input_tokens": 400 + index, "gen_ai.usage.output_tokens": 200 + index,
        "gen_ai.request.temperature": 0.2, "gen_ai.response.id": f"chatcmpl-{index}", "server.address": "api.openai.com",
        "gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "text", "content": question}]}]),
        "gen_ai.output.messages": json.dumps(
            [{"role": "assistant", "parts": [{"type": "text", "content": answer}], "finish_reason": "stop"}]
        ),
        "padding": "x" * (SPAN_BYTES - 3_210),
    }  # fmt: skip


class Worker(threading.Thread):
    """One connection, sending as fast as it is answered, or at a given rate."""

    def __init__(
        self, url: str, number: int, template: Template, until: float, rate: float | None, headers: dict[str, str]
    ) -> None:
        super().__init__(daemon=True)
        self._url = urlsplit(url)
        self._number = number
        self._template = template
        self._until = until
        self._rate = rate
        self._headers = {"Content-Type": "application/x-protobuf", **headers}
        self.acknowledged = 0
        self.refused = 0
        self.latencies: list[float] = []

    def run(self) -> None:
        """Send until the time is up."""
        connection = http.client.HTTPConnection(self._url.hostname or "", self._url.port, timeout=60)
        serial = 0
        next_at = time.monotonic()
        while time.monotonic() < self._until:
            body = self._template.make(self._number, serial, time.time_ns())
            serial += 1
            begun = time.perf_counter()
            connection.request("POST", "/v1/traces", body, self._headers)
            answer = connection.getresponse()
            answer.read()
            self.latencies.append(time.perf_counter() - begun)
            if answer.status == 200:
                self.acknowledged += SPANS
            else:
                self.refused += SPANS
                time.sleep(0.05)
            if self._rate:
                next_at += SPANS / self._rate
                time.sleep(max(0.0, next_at - time.monotonic()))
        connection.close()


def main() -> None:
    """Drive one server; print what came of it as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--dialect", default="otel", choices=["otel", "openinference"])
    parser.add_argument(
        "--rate", type=float, help="spans a second over all connections; as fast as answered when left out"
    )
    parser.add_argument("--header", action="append", default=[], help="NAME=VALUE, sent with every request")
    given = parser.parse_args()
    template = Template(given.dialect)
    begun, cpu = time.monotonic(), time.process_time()
    base = int.from_bytes(os.urandom(1)) * 256
    rate = given.rate / given.connections if given.rate else None
    headers = dict(one.split("=", 1) for one in given.header)
    workers = [
        Worker(given.url, base + n, template, begun + given.seconds, rate, headers) for n in range(given.connections)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    took = time.monotonic() - begun
    latencies = sorted(latency for worker in workers for latency in worker.latencies)
    acknowledged = sum(worker.acknowledged for worker in workers)
    print(
        json.dumps(
            {
                "seconds": round(took, 2),
                "span_bytes": template.size // SPANS,
                "acknowledged": acknowledged,
                "refused": sum(worker.refused for worker in workers),
                "acknowledged_per_s": round(acknowledged / took),
                "p50_ms": round(statistics.median(latencies) * 1e3, 1),
                "p99_ms": round(latencies[int(len(latencies) * 0.99)] * 1e3, 1),
                "generator_cpu_s": round(time.process_time() - cpu, 2),
            }
        )
    )


if __name__ == "__main__":
    main()
