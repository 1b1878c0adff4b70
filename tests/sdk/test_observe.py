"""`observe`, `session`, `score`, and the manners of a guest."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from openai import OpenAI
from opentelemetry import trace
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

import watchkeeper as wk
from watchkeeper.kit.errors import ConfigError


def spans(exported: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    """Return the finished spans by name."""
    wk.flush()
    return {span.name: span for span in exported.get_finished_spans()}


def told(span: ReadableSpan) -> dict[str, Any]:
    """Return a span's attributes."""
    return dict(span.attributes or {})


def test_an_unknown_kind_is_refused_at_once() -> None:
    """A wrong kind fails at decoration, not at a call in production."""
    with pytest.raises(ValueError, match="unknown kind"):
        wk.observe(kind="robot")  # type: ignore[call-overload]


def test_an_address_that_is_none_is_refused() -> None:
    """`init` with an endpoint that is no http address says so."""
    with pytest.raises(ConfigError, match="not an http address"):
        wk.init("x", endpoint="localhost:7070")


def test_an_error_passes_through(exported: InMemorySpanExporter) -> None:
    """The function's own exception comes out, and the span failed with its type."""

    @wk.observe
    def breaks() -> None:
        raise KeyError("gone")

    with pytest.raises(KeyError, match="gone"):
        breaks()
    span = spans(exported)["breaks"]

    assert span.status.status_code is StatusCode.ERROR
    assert told(span)["error.type"] == "KeyError"


def test_arguments_that_cannot_be_written_do_no_harm(exported: InMemorySpanExporter) -> None:
    """An argument whose repr explodes is noted as not encodable; the call goes on."""

    class Bomb:
        def __repr__(self) -> str:
            raise RuntimeError("boom")

    @wk.observe
    def takes(thing: object, more: int) -> int:
        return more

    assert takes(Bomb(), 2) == 2
    assert "not encodable" in told(spans(exported)["takes"])["watchkeeper.input"]


def test_huge_arguments_are_cut(exported: InMemorySpanExporter) -> None:
    """A captured value is at most a mebibyte and says how much was cut."""

    @wk.observe
    def takes(text: str) -> None: ...

    takes("x" * 3_000_000)
    text = told(spans(exported)["takes"])["watchkeeper.input"]

    assert len(text) < 1_100_000
    assert text.endswith("more characters]")


def test_plain_functions_are_traced(exported: InMemorySpanExporter) -> None:
    """Arguments, result, kind and nesting are on the spans."""

    @wk.observe(kind="tool")
    def add(a: int, b: int) -> int:
        return a + b

    @wk.observe(name="boss", kind="agent")
    def work() -> int:
        return add(1, b=2)

    assert work() == 3
    found = spans(exported)
    tool, agent = found["add"], found["boss"]

    assert told(tool) == {
        "watchkeeper.kind": "tool",
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "add",
        "gen_ai.tool.call.arguments": '{"a":1,"b":2}',
        "gen_ai.tool.call.result": "3",
    }
    assert tool.parent is not None
    assert agent.context is not None
    assert tool.parent.span_id == agent.context.span_id


async def test_coroutines_and_generators_are_traced(exported: InMemorySpanExporter) -> None:
    """Async functions, generators and async generators keep their values, and text is joined on the span."""

    @wk.observe
    async def later(x: int) -> int:
        await asyncio.sleep(0)
        return x

    @wk.observe
    def words() -> Iterator[str]:
        yield "a"
        yield "b"

    @wk.observe
    async def numbers() -> AsyncIterator[int]:
        yield 1
        yield 2

    assert await later(5) == 5
    assert list(words()) == ["a", "b"]
    assert [n async for n in numbers()] == [1, 2]
    found = spans(exported)
    assert told(found["words"])["watchkeeper.output"] == "ab"
    assert told(found["numbers"])["watchkeeper.output"] == "[1,2]"


def test_a_generator_does_not_leak_its_context(exported: InMemorySpanExporter) -> None:
    """What the consumer does between two items is no child of the generator's span."""

    @wk.observe
    def items() -> Iterator[int]:
        yield 1
        yield 2

    @wk.observe
    def consumer() -> None: ...

    for _ in items():
        consumer()
    wk.flush()

    assert [span.parent for span in exported.get_finished_spans() if span.name == "consumer"] == [None, None]


async def test_sessions_follow_tasks(exported: InMemorySpanExporter) -> None:
    """Spans in concurrent tasks carry the session each task opened, user and tags too."""

    @wk.observe
    async def ask(name: str) -> None:
        await asyncio.sleep(0.001)

    async def talk(name: str) -> None:
        with wk.session(f"s-{name}", user=name, tags=["vip"]):
            await ask(name)

    await asyncio.gather(*(talk(name) for name in ("ada", "alan")))
    wk.flush()
    seen = {
        (told(s)["watchkeeper.input"], told(s)["session.id"], told(s)["user.id"]) for s in exported.get_finished_spans()
    }

    assert seen == {("ada", "s-ada", "ada"), ("alan", "s-alan", "alan")}


def test_documents_of_a_retriever(exported: InMemorySpanExporter) -> None:
    """A retriever's list of texts or dicts becomes documents."""

    @wk.observe(kind="retriever")
    def find(query: str) -> list[Any]:
        return ["plain", {"id": "d2", "content": "with id", "score": 0.5}]

    find("q")
    found = told(spans(exported)["find"])

    assert found["gen_ai.retrieval.query.text"] == "q"
    assert json.loads(found["gen_ai.retrieval.documents"]) == [
        {"content": "plain"},
        {"id": "d2", "content": "with id", "score": 0.5},
    ]


def test_fastapi_spans_join_the_tree(exported: InMemorySpanExporter, client: OpenAI) -> None:
    """A model call inside a FastAPI request is in the request's trace."""
    app = FastAPI()

    @app.get("/ask")
    def ask() -> str:
        client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "hi"}])
        return "ok"

    FastAPIInstrumentor.instrument_app(app, tracer_provider=trace.get_tracer_provider())
    with TestClient(app) as http:
        http.get("/ask")
    found = spans(exported)
    request, call = found["GET /ask"], found["chat gpt-4o-mini"]

    assert request.context is not None
    assert call.context is not None
    assert call.context.trace_id == request.context.trace_id


def test_a_server_that_is_down_costs_only_the_spans(provider: TracerProvider, base_url: str) -> None:
    """With nobody listening, calls work, nothing is raised, and the span is counted as waiting for better times."""
    wk.init("lonely", endpoint="http://127.0.0.1:9")
    client = wk.wrap(OpenAI(base_url=base_url, api_key="none"))
    answer = client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "hi"}])
    wk.score("good", 1, trace_id="a" * 32)
    wk.flush(20)
    stats = wk.stats()
    wk.shutdown()

    assert answer.choices
    assert (stats.spans_sent, stats.spans_lost, stats.spans_waiting) == (0, 0, 1)


def test_scores_reach_the_server(provider: TracerProvider) -> None:
    """A score inside a span is posted with the span's ids and the open session."""
    got: list[tuple[str, dict[str, Any]]] = []

    class Sink(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/api/v1/scores":
                got.append((self.headers["Authorization"], json.loads(body)))
            self.send_response(201)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None: ...  # noqa: A002 - the base class names it

    server = HTTPServer(("127.0.0.1", 0), Sink)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    wk.init("scorer", endpoint=f"http://127.0.0.1:{server.server_address[1]}", api_key="sk-1")

    @wk.observe
    def judged() -> str | None:
        wk.score("helpful", value=True, label="yes")
        return wk.current_trace_url()

    with wk.session("s1"):
        url = judged()
    wk.flush()
    wk.shutdown()
    server.shutdown()
    (key, score) = got[0]

    assert key == "Bearer sk-1"
    assert (score["name"], score["value"], score["label"], score["session_id"]) == ("helpful", 1.0, "yes", "s1")
    assert (url or "").endswith(f"/traces/{score['trace_id']}")


def test_before_init_everything_is_harmless() -> None:
    """Without `init` the decorated function runs and every verb does nothing."""

    @wk.observe
    def plain() -> int:
        return 1

    assert plain() == 1
    wk.score("x", 1)
    assert wk.flush()
    assert wk.stats() == wk.Stats()
    assert wk.current_trace_url() is None


def test_the_front_door_is_what_it_says() -> None:
    """`__all__` is sorted, and each name in it is importable."""
    assert wk.__all__ == sorted(wk.__all__)
    assert dir(wk) == wk.__all__
    assert all(getattr(wk, name) is not None for name in wk.__all__)
    with pytest.raises(AttributeError, match="nonsense"):
        _ = wk.nonsense


def test_importing_loads_nothing_heavy() -> None:
    """`import watchkeeper` brings in neither OpenTelemetry nor any package of the server."""
    heavy = "('opentelemetry', 'duckdb', 'fastapi', 'pydantic', 'msgspec')"
    code = f"import sys, watchkeeper; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
