"""The mapper on what real clients sent."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.clients.conversation import QUESTION, SYSTEM, WEATHER
from tests.fake_openai import ANSWER, MODEL
from tests.ingest.recorded import CLIENTS, spans
from watchkeeper.ingest import MAPPER_VERSION, map_span
from watchkeeper.model import (
    Content,
    Message,
    RawEvent,
    RawLog,
    RawSpan,
    Span,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    Usage,
)

KNOWN = (
    "gen_ai.operation.name", "gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions",
    "gen_ai.tool.definitions", "gen_ai.usage.input_tokens", "gen_ai.response.finish_reasons", "gen_ai.retrieval.documents",
    "gen_ai.response.time_to_first_chunk", "gen_ai.request.x", "operation.cost", "openinference.span.kind", "input.value",
    "llm.invocation_parameters", "llm.token_count.prompt", "llm.cost.total", "llm.input_messages.0.message.role",
    "llm.input_messages.0.message", "llm.input_messages.0.message.contents.1.message_content.type",
    "llm.input_messages.0.message.tool_calls.0.tool_call.function.arguments", "llm.input_messages.²", "llm.tools.0.tool",
    "llm.tools.0.tool.json_schema", "retrieval.documents.0.document.metadata", "embedding.embeddings.0.embedding.text",
    "llm.finish_reason", "tag.tags", "tags", "watchkeeper.kind", "watchkeeper.input", "watchkeeper.tags", "error.type",
    "session.id", "user.id", "server.address", "service.name",
)  # fmt: skip
TEXTS = st.text(max_size=6) | st.sampled_from(
    ["[", "{}", "[1]", '[{"role":1}]', '[{"role":"user","parts":[{"type":"blob"}]}]', '"a"', "[[[]]]", '{"messages":[{}]}',
     '[{"role":"tool","content":{"a":[null]}}]', "nan", "1e999", "9" * 400, "[" * 2000, '[{"tool_calls":[{"function":0}]}]']
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.binary(max_size=4) | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["role", "parts", "content", "type", "text", "tool_calls", "function", "name", "id", "k"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
ATTRIBUTES = st.dictionaries(st.sampled_from(KNOWN) | st.text(max_size=12), VALUES, max_size=10)
LOGS = st.builds(
    RawLog,
    trace_id=st.just("a" * 32),
    span_id=st.just("b" * 16),
    event_name=st.sampled_from(
        [
            "gen_ai.client.inference.operation.details",
            "gen_ai.choice",
            "gen_ai.user.message",
            "gen_ai.tool.message",
            "x",
        ]
    ),
    body=VALUES,
    attributes=ATTRIBUTES,
)


def span(attributes: dict[str, Any] | None = None, **given: Any) -> Span:
    """Map a span with the attributes given."""
    raw = RawSpan(trace_id="a" * 32, span_id="b" * 16, start_time=100, attributes=attributes or {}, **given)
    return map_span("p", raw, 7)


@given(
    attributes=ATTRIBUTES,
    resource=ATTRIBUTES,
    logs=st.lists(LOGS, max_size=3),
    times=st.tuples(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1)),
    event=ATTRIBUTES,
    status=st.integers(0, 9),
)
def test_nothing_makes_it_raise(
    attributes: Any, resource: Any, logs: list[RawLog], times: tuple[int, int], event: Any, status: int
) -> None:
    """Whatever a span holds, it is mapped, and what comes out can be written as JSON."""
    raw = RawSpan(
        trace_id="a" * 32,
        span_id="b" * 16,
        start_time=times[0],
        end_time=times[1],
        status_code=status,
        attributes=attributes,
        resource=resource,
        events=(RawEvent(name="exception", attributes=event), RawEvent(name="First Token Stream Event", time=1)),
        logs=tuple(logs),
    )
    found = map_span("p", raw, 7)

    assert found.duration_ns >= 0
    assert found.raw is raw
    assert msgspec.json.encode(found)


def test_a_dialect_that_breaks_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dialect that fails on a span is left out and not named; the others are read."""
    from watchkeeper.ingest.dialects.otel_genai import OtelGenAI

    def broken(self: OtelGenAI, raw: RawSpan) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(OtelGenAI, "read", broken)
    found = span({"gen_ai.request.model": "a", "llm.model_name": "b", "openinference.span.kind": "LLM"})

    assert (found.dialects, found.model, found.kind) == (("openinference",), "b", "llm")


def test_a_span_that_ends_before_it_starts_lasts_nothing() -> None:
    """A span whose clock went backwards is kept, with a duration of zero."""
    assert span(end_time=50).duration_ns == 0


def test_a_plain_span_is_one() -> None:
    """A span of no dialect is a plain span, its input and tokens unknown and not zero."""
    found = span({"http.route": "/"})

    assert (found.kind, found.dialects, found.mapper) == ("span", (), MAPPER_VERSION)
    assert (found.input, found.usage, found.cost) == (None, Usage(), None)


@pytest.mark.parametrize("client", CLIENTS)
def test_the_failing_call_is_an_error(client: str) -> None:
    """A recorded call that failed has its error's type and message, and no output."""
    failed = spans(client)[-1]

    assert (failed.kind, failed.status, failed.error_type) == ("llm", "error", "openai.InternalServerError")
    assert "the model is broken" in (failed.status_message or "")
    assert failed.output is None


@pytest.mark.parametrize("client", CLIENTS)
def test_every_client_tells_the_same_conversation(client: str) -> None:
    """The two first calls of the recorded conversation read the same whichever client sent them."""
    asked, answered = [one for one in spans(client) if one.kind == "llm"][:2]
    call = ToolCallPart(id="call_1", name="get_weather", arguments={"city": "Bern"})
    opening = (
        Message(role="system", parts=(TextPart(SYSTEM),)),
        Message(role="user", parts=(TextPart(QUESTION),)),
    )
    result = ToolResultPart(id="call_1", result={"city": "Bern", **WEATHER})

    assert asked.input == Content(messages=opening)
    assert without_reason(asked.output) == (Message(role="assistant", parts=(call,)),)
    assert answered.input is not None
    assert answered.input.messages[2:] == (
        Message(role="assistant", parts=(call,)),
        Message(role="tool", parts=(result,)),
    )
    assert without_reason(answered.output) == (Message(role="assistant", parts=(TextPart(ANSWER),)),)


def without_reason(content: Content | None) -> tuple[Message, ...]:
    """Return the messages without their finish reason, which only OTel writes on a message."""
    assert content is not None
    return tuple(msgspec.structs.replace(one, finish_reason=None) for one in content.messages)


@pytest.mark.parametrize("client", CLIENTS)
def test_every_client_tells_the_same_call(client: str) -> None:
    """Model, tokens, parameters, finish reason and tools of a recorded call read the same whoever sent them."""
    call = next(one for one in spans(client) if one.kind == "llm")
    usage = {name: value for name, value in msgspec.structs.asdict(call.usage).items() if value}

    assert (call.provider, call.request_model, call.response_model, call.model) == (
        "openai",
        "gpt-4o-mini",
        MODEL,
        MODEL,
    )
    assert usage == {"input_tokens": 100, "output_tokens": 20, "cache_read_tokens": 64, "reasoning_tokens": 7}
    assert (call.parameters, call.finish_reasons, len(call.tools)) == ({"temperature": 0.2}, ("tool_calls",), 1)
    assert call.streaming is not True


@pytest.mark.parametrize("client", CLIENTS)
def test_every_client_tells_of_the_stream(client: str) -> None:
    """A recorded stream is one, with the time to its first token within it."""
    streamed = [one for one in spans(client) if one.kind == "llm"][2]

    assert streamed.streaming is True
    assert 0 < (streamed.time_to_first_token_ns or 0) < streamed.duration_ns
    assert "stream" not in streamed.parameters


@pytest.mark.parametrize(("client", "embedded"), [("phoenix", "weather in Bern"), ("genai", None)])
def test_an_embedding_is_one(client: str, embedded: str | None) -> None:
    """A recorded embedding call is one, with what was embedded where the client says it."""
    (call,) = [one for one in spans(client) if one.kind == "embedding"]

    assert (call.model, call.usage) == ("text-embedding-3-small", Usage(input_tokens=5))
    assert (call.input.text if call.input else None) == embedded


def test_phoenix_tells_of_agent_and_tool() -> None:
    """Phoenix's decorators give an agent at the root and a tool with its arguments and result."""
    root, *others = spans("phoenix")
    (tool,) = [one for one in others if one.kind == "tool"]

    assert (root.kind, root.parent_span_id, root.service) == ("agent", None, "weather-bot")
    assert root.input == Content(text=QUESTION, mime_type="text/plain")
    assert {one.parent_span_id for one in others} == {root.span_id}
    assert (tool.tool_name, tool.input) == (
        "get_weather",
        Content(text='{"city": "Bern"}', mime_type="application/json"),
    )


def test_opentelemetry_tells_of_the_service() -> None:
    """Service, environment, release and the provider's host come from OpenTelemetry's own keys."""
    call = spans("genai")[1]

    assert (call.service, call.environment, call.release) == ("weather-bot", "test", "1.2.3")
    assert call.endpoint_host == "127.0.0.1"
    assert call.response_id == "chatcmpl-1"
