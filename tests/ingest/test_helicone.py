"""Helicone's log, provider by provider: what a body says becomes what any other client's span says."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import fake_anthropic
from tests.clients.conformance import content
from tests.ingest.test_mapper import VALUES
from watchkeeper.ingest import decode_helicone, map_span
from watchkeeper.kit.errors import RequestError
from watchkeeper.model import Span

TRACE = 'Traceback (most recent call last):\n  File "x"'
ASKED = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


def log(asked: Any, response: dict[str, Any], *, path: str = "custom", **headers: str) -> Span:
    """Map one log; `headers` are named without their prefix."""
    named = {f"helicone-{name.replace('_', '-')}": value for name, value in headers.items()}
    body = {
        "providerRequest": {"url": "custom-model-nopath", "json": asked, "meta": {}},
        "providerResponse": {"headers": {}, "status": 200, "json": {}, **response},
        "timing": {
            "startTime": {"seconds": 1_800_000_000, "milliseconds": 250},
            "endTime": {"seconds": 1_800_000_001, "milliseconds": 0},
        },
    }
    (raw,) = decode_helicone(json.dumps(body).encode(), path, named).spans
    return map_span("p", raw, 7)


def said(span: Span, side: str) -> str | None:
    """Write a side of a call as one line."""
    return content(msgspec.to_builtins(getattr(span, side)) and json.loads(msgspec.json.encode(_whole(span, side))))


def _whole(span: Span, side: str) -> dict[str, Any]:
    found = getattr(span, side)
    return {"messages": found.messages, "text": found.text}


def test_anthropics_body_is_read() -> None:
    """System, tool use, tool result and the cache beside the input are Anthropic's own shapes."""
    use, found = fake_anthropic.TOOL_USE, {"type": "tool_result", "tool_use_id": "toolu_1"}
    messages = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": [use]},
        {"role": "user", "content": [found | {"content": [{"type": "text", "text": "21"}]}]},
    ]
    asked = {"model": "claude-sonnet-5", "max_tokens": 9, "system": "Be brief.", "messages": messages}
    answer = fake_anthropic.message([{"type": "text", "text": "Hello."}])
    span = log(asked, {"json": answer}, path="anthropic")

    assert (span.provider, span.model, span.parameters) == ("anthropic", fake_anthropic.MODEL, {"max_tokens": 9})
    assert said(span, "input") == (
        'system: Be brief. | user: hi | assistant: toolu_1 get_weather {"city":"Bern"} | tool: toolu_1 = 21'
    )
    assert said(span, "output") == "assistant: Hello."
    assert (span.usage.input_tokens, span.usage.cache_read_tokens, span.usage.reasoning_tokens) == (100, 64, 7)
    assert span.finish_reasons == ("end_turn",)


def test_anthropics_stream_is_the_same_answer() -> None:
    """The events of a stream fold to what the same call gives whole: text, tool call, usage and stop reason."""
    body = {"model": "claude-sonnet-5", "tools": [{}], "messages": [], "stream": True}
    events = [one.partition("data: ")[2].strip() for one in fake_anthropic._events(body)]
    span = log(body, {"textBody": "\n".join(events)})

    assert said(span, "output") == 'assistant: Let me look. toolu_1 get_weather {"city":"Bern"}'
    assert (span.provider, span.usage.input_tokens, span.usage.output_tokens) == ("anthropic", 100, 20)
    assert (span.finish_reasons, span.streaming) == (("tool_use",), True)


def test_geminis_body_is_read() -> None:
    """Contents, function calls and usageMetadata, whose thoughts stand beside the candidates, are Gemini's shapes."""
    call = {"functionCall": {"name": "look", "args": {"a": 1}}}
    asked = {
        "model": "gemini-3-pro",
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "hi"}]},
            {"role": "model", "parts": [call]},
            {"role": "user", "parts": [{"functionResponse": {"name": "look", "response": {"b": 2}}}]},
        ],
        "generationConfig": {"temperature": 0.5},
        "tools": [{"functionDeclarations": [{"name": "look"}]}],
    }
    pieces: list[dict[str, Any]] = [
        {"candidates": [{"content": {"role": "model", "parts": [{"text": text}]}}], "modelVersion": "gemini-3-pro-1"}
        for text in ("Hel", "lo.")
    ]
    pieces[-1] |= {"usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 2, "thoughtsTokenCount": 3}}
    span = log(asked, {"textBody": "\n".join(map(json.dumps, pieces))}, path="googleapis")

    assert said(span, "input") == ('system: Be brief. | user: hi | assistant: None look {"a":1} | tool: None = {"b":2}')
    assert said(span, "output") == "assistant: Hello."
    assert (span.provider, span.model, span.tools) == ("gcp.gemini", "gemini-3-pro-1", ({"name": "look"},))
    assert (span.usage.input_tokens, span.usage.output_tokens, span.usage.reasoning_tokens) == (10, 5, 3)


def test_openais_responses_are_read() -> None:
    """Instructions, input items and output items are the shapes of OpenAI's Responses."""
    items = [
        {"role": "user", "content": [{"type": "input_text", "text": "hi"}]},
        {"type": "function_call", "call_id": "c1", "name": "look", "arguments": '{"a":1}'},
        {"type": "function_call_output", "call_id": "c1", "output": "2"},
    ]
    answer = {
        "status": "completed",
        "output": [{"role": "assistant", "content": [{"type": "output_text", "text": "Yo"}]}],
    }
    span = log({"model": "gpt-5", "instructions": "Be brief.", "input": items}, {"json": answer})

    assert said(span, "input") == 'system: Be brief. | user: hi | assistant: c1 look {"a":1} | tool: c1 = 2'
    assert (said(span, "output"), span.finish_reasons, span.provider) == ("assistant: Yo", ("stop",), "openai")


def test_a_models_own_text_is_kept() -> None:
    """An answer that is no provider's JSON is the output as it came, and a request of no known shape the input."""
    span = log({"model": "mine", "ask": "hi"}, {"textBody": "Hello."})

    assert (span.kind, span.provider) == ("llm", None)
    assert (said(span, "input"), said(span, "output")) == ('{"ask":"hi"}', "Hello.")


def test_a_vector_search_and_a_tool_have_their_kinds() -> None:
    """What Helicone's documentation has for searches and tools are no calls of a model."""
    search = log({"_type": "vector_db", "operation": "search", "text": "hi"}, {"json": {"matches": [1]}})
    tool = log({"_type": "tool", "toolName": "look", "input": {"a": 1}}, {"json": {"b": 2, "_type": "tool"}})

    assert (search.kind, said(search, "output")) == ("retriever", '{"matches":[1]}')
    assert (tool.kind, tool.tool_name, tool.name) == ("tool", "look", "look")
    assert (said(tool, "input"), said(tool, "output")) == ('{"a":1}', '{"b":2}')


@pytest.mark.parametrize(
    ("response", "kind", "message"),
    [
        ({"status": -3}, None, "cancelled"),
        ({"status": 429}, None, "status 429"),
        ({"status": 500, "textBody": "TypeError: no\n    at x.mjs:1"}, "TypeError", "TypeError: no"),
        ({"textBody": f"{TRACE}\nopenai.APIError: no\n\n"}, "openai.APIError", "openai.APIError: no"),
    ],
)  # fmt: skip
def test_a_failure_is_one(response: dict[str, Any], kind: str | None, message: str) -> None:
    """Each way in which the helpers tell of a failure ends in a status, and a type where one is named."""
    span = log(ASKED, response)

    assert (span.status, span.status_message, span.error_type, span.output) == ("error", message, kind, None)


def test_what_is_to_be_left_out_is_not_kept() -> None:
    """Helicone-Omit-Request and -Response keep the model and the usage, and nothing that was said."""
    answer = {"id": "x", "model": "m-1", "choices": [{"message": {"content": "secret"}}], "usage": {"prompt_tokens": 3}}
    span = log(ASKED, {"json": answer}, omit_request="true", omit_response="true")

    assert (span.request_model, span.response_model, span.usage.input_tokens) == ("m", "m-1", 3)
    assert span.input is span.output is None
    assert "secret" not in repr(span)


def test_the_same_log_is_the_same_span() -> None:
    """A log sent again names the same span, another call another; calls of a session share a trace."""
    first, again = log(ASKED, {}, session_id="s"), log(ASKED, {}, session_id="s")
    other, named = log({**ASKED, "n": 1}, {}, session_id="s"), log({**ASKED, "n": 1}, {}, request_id="r")

    assert (first.trace_id, first.span_id) == (again.trace_id, again.span_id)
    assert (first.trace_id == other.trace_id, first.span_id == other.span_id) == (True, False)
    assert named.span_id == log(ASKED, {}, request_id="r").span_id
    assert (first.start_time, first.duration_ns) == (1_800_000_000_250_000_000, 750_000_000)


def test_whose_call_it_was_comes_from_headers_or_meta() -> None:
    """User, session, properties, prompt and the model to price are read from either place."""
    body = {
        "providerRequest": {"json": ASKED, "meta": {"Helicone-User-Id": "u", "Helicone-Property-App": "bot"}},
        "providerResponse": {},
    }
    told = {"helicone-prompt-id": "greet", "helicone-model-override": "gpt-4o", "helicone-property-environment": "test"}
    (raw,) = decode_helicone(json.dumps(body).encode(), "custom", told).spans
    span = map_span("p", raw, 7)

    assert (span.user_id, span.service, span.environment) == ("u", "bot", "test")
    assert (span.prompt_name, span.request_model, span.model) == ("greet", "m", "gpt-4o")


@pytest.mark.parametrize("body", [b"{", b"[]", b"{}", b'{"providerRequest":{"json":[]}}', b"[" * 100_000])
def test_what_is_no_log_is_refused(body: bytes) -> None:
    """A body of another shape is refused with what is missing."""
    with pytest.raises(RequestError):
        decode_helicone(body, "custom", {})


def test_a_body_nested_too_deep_is_rejected() -> None:
    """What no other span may hold, a log may not either."""
    deep: Any = 1
    for _ in range(40):
        deep = [deep]
    body = json.dumps({"providerRequest": {"json": {"messages": deep}}}).encode()

    assert decode_helicone(body, "custom", {}).rejected == 1


PIECES = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["message_start", "content_block_start", "content_block_delta", "message_delta"]),
            **{
                name: VALUES | st.lists(VALUES, max_size=2)
                for name in ("index", "message", "delta", "content_block", "choices", "candidates", "usage")
            },
        },
    )
    | VALUES,
    max_size=4,
)


@given(asked=st.dictionaries(st.sampled_from(["model", "messages", "contents", "input", "tools", "system", "x"]), VALUES),
       answer=st.dictionaries(st.sampled_from(["choices", "content", "output", "candidates", "usage", "data"]), VALUES),
       pieces=PIECES)  # fmt: skip
def test_any_body_becomes_a_span(asked: dict[str, Any], answer: dict[str, Any], pieces: list[Any]) -> None:
    """Whatever JSON a log holds, it decodes and the dialect reads it."""
    lines = "\n".join(msgspec.json.encode(one).decode() for one in pieces)
    body = {"providerRequest": {"json": asked}, "providerResponse": {"json": answer, "textBody": lines, "status": 200}}
    found = decode_helicone(msgspec.json.encode(body), "oai", {})

    assert found.rejected or map_span("p", found.spans[0], 7).dialects == ("helicone",)
