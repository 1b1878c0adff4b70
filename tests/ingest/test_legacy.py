"""What OpenTelemetry's GenAI conventions were, and what OpenLLMetry says in its own words."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ingest.recorded import spans
from tests.ingest.test_mapper import span
from watchkeeper.ingest.providers import provider_of
from watchkeeper.model import (
    Content,
    Document,
    Message,
    RawEvent,
    RawLog,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    Usage,
)

ASKED = (Message(role="user", parts=(TextPart("hi"),)),)
ANSWERED = (Message(role="assistant", parts=(TextPart("hello"),), finish_reason="stop"),)
CALL = {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}


def log(name: str, body: Any, time: int) -> RawLog:
    """Return a log record of the span under test."""
    return RawLog(trace_id="a" * 32, span_id="b" * 16, event_name=name, body=body, time=time)


LOGS = (
    log(
        "gen_ai.choice", {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}, 2
    ),
    log("gen_ai.user.message", {"content": "hi"}, 1),
)
EVENTS = (
    RawEvent(name="gen_ai.user.message", time=1, attributes={"gen_ai.system": "openai", "content": "hi"}),
    RawEvent(name="gen_ai.choice", time=2, attributes={"finish_reason": "stop", "message": '{"content": "hello"}'}),
)
WHOLE = (
    RawEvent(name="gen_ai.content.prompt", attributes={"gen_ai.prompt": '[{"role": "user", "content": "hi"}]'}),
    RawEvent(
        name="gen_ai.content.completion",
        attributes={"gen_ai.completion": '[{"role": "assistant", "content": "hello", "finish_reason": "stop"}]'},
    ),
)
NUMBERED = {
    "gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "hi", "gen_ai.completion.0.content": "hello",
    "gen_ai.completion.0.finish_reason": "stop",
}  # fmt: skip
UNNAMED = {
    "gen_ai.prompt.0.user": "hi",
    "gen_ai.completion.0.content": "hello",
    "gen_ai.completion.0.finish_reason": "stop",
}
TEXTS = {"gen_ai.prompt": "hi", "gen_ai.completion": '[{"content": "hello", "finish_reason": "stop"}]'}
FORMS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"logs": LOGS}), ({}, {"events": EVENTS}), ({}, {"events": WHOLE}), (NUMBERED, {}), (UNNAMED, {}), (TEXTS, {}),
]  # fmt: skip


@pytest.mark.parametrize(("attributes", "more"), FORMS)
def test_every_old_form_is_the_same_conversation(attributes: dict[str, Any], more: dict[str, Any]) -> None:
    """Log events, span events, JSON and numbered keys tell the same messages and the same reason."""
    found = span({"gen_ai.system": "openai", "gen_ai.request.model": "m", **attributes}, **more)

    assert (found.input, found.output) == (Content(messages=ASKED), Content(messages=ANSWERED))
    assert (found.provider, found.finish_reasons, found.dialects) == (
        "openai",
        ("stop",),
        ("otel_genai", "otel_legacy"),
    )


def test_two_old_forms_are_not_spliced() -> None:
    """Where the numbered keys are there, the events beside them are the same conversation and not read again."""
    found = span({"gen_ai.system": "openai", **NUMBERED}, logs=LOGS)

    assert (found.input, found.output) == (Content(messages=ASKED), Content(messages=ANSWERED))


def test_old_events_tell_of_tools() -> None:
    """A tool's call and its answer are read from the events of before 1.37."""
    logs = (
        log("gen_ai.assistant.message", {"tool_calls": [CALL]}, 1),
        log("gen_ai.tool.message", {"id": "1", "content": '{"b": 2}'}, 2),
    )
    found = span({"gen_ai.system": "openai"}, logs=logs).input

    assert found == Content(
        messages=(
            Message(role="assistant", parts=(ToolCallPart(id="1", name="f", arguments={"a": 1}),)),
            Message(role="tool", parts=(ToolResultPart(id="1", result={"b": 2}),)),
        )
    )


def test_old_counts_are_read() -> None:
    """Tokens are read under the names that they had."""
    told = {
        "gen_ai.usage.prompt_tokens": 10, "gen_ai.usage.completion_tokens": 4, "gen_ai.usage.cache_read_input_tokens": 3,
        "gen_ai.usage.cache_creation_input_tokens": 2, "gen_ai.usage.reasoning_tokens": 1,
    }  # fmt: skip

    assert span(told).usage == Usage(
        input_tokens=10, output_tokens=4, cache_read_tokens=3, cache_write_tokens=2, reasoning_tokens=1
    )


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ("OpenAI", "openai"), ("az.ai.openai", "azure.ai.openai"), ("Google", "gcp.gemini"), ("vertex_ai", "gcp.vertex_ai"),
        ("google-vertex", "gcp.vertex_ai"), ("AWS", "aws.bedrock"), ("MistralAI", "mistral_ai"), ("xai", "x_ai"),
        ("together", "together_ai"), ("Langchain", None), ("_OTHER", None), ("in-house", "in-house"), (None, None),
    ],
)  # fmt: skip
def test_a_provider_has_one_name(told: str | None, name: str | None) -> None:
    """A provider is called by OpenTelemetry's name, whatever a library calls it; no provider is None."""
    assert provider_of(told) == name
    assert span({"gen_ai.system": told}).provider == name


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ({"traceloop.span.kind": "workflow"}, "workflow"), ({"traceloop.span.kind": "task"}, "workflow"),
        ({"traceloop.span.kind": "agent"}, "agent"), ({"traceloop.span.kind": "tool"}, "tool"),
        ({"llm.request.type": "rerank"}, "reranker"), ({"llm.request.type": "completion"}, "llm"),
        ({"llm.request.type": "unknown"}, "span"),
        ({"gen_ai.operation.name": "execute_task", "traceloop.entity.name": "t"}, "workflow"),
    ],
)  # fmt: skip
def test_traceloops_kinds_are_ours(told: dict[str, Any], kind: str) -> None:
    """What OpenLLMetry calls a span is one of our kinds."""
    assert span(told).kind == kind


@pytest.mark.parametrize(
    ("told", "text"),
    [
        ('{"args": ["q"], "kwargs": {}}', "q"), ('{"args": [], "kwargs": {"a": 1}}', '{"a":1}'),
        ('{"args": [1, 2], "kwargs": {}}', "[1,2]"), ('{"args": [1], "kwargs": {"a": 1}}', '{"args":[1],"kwargs":{"a":1}}'),
        ('{"inputs": {}}', '{"inputs":{}}'), ("free text", "free text"),
    ],
)  # fmt: skip
def test_an_entitys_input_is_what_the_function_was_given(told: str, text: str) -> None:
    """The one argument of a decorated function stands alone, named ones under their names."""
    found = span({"traceloop.span.kind": "task", "traceloop.entity.input": told}).input

    assert found is not None
    assert found.text == text


def test_a_vector_stores_answer_is_documents() -> None:
    """Each result of a vector store's query is a document; a distance is not taken for a score."""
    told: dict[str, Any] = {
        "db.query.result.id": "d1", "db.query.result.document": "text", "db.query.result.distance": 0.5,
        "db.query.result.metadata": '{"k": 1}',
    }  # fmt: skip
    found = span({"db.system": "chroma"}, events=(RawEvent(name="db.query.result", attributes=told),))

    assert found.kind == "retriever"
    assert found.output == Content(documents=(Document(id="d1", content="text", metadata={"k": 1, "distance": 0.5}),))


def test_the_older_openllmetry_is_read_like_the_newer() -> None:
    """Releases that number their messages and those that do not give the same calls, tools and parameters."""
    older, newer = ([one for one in spans(name) if one.kind == "llm"] for name in ("traceloop-old", "traceloop"))

    for old, new in zip(older, newer, strict=True):
        assert (old.input, old.usage.input_tokens, old.finish_reasons) == (
            new.input,
            new.usage.input_tokens,
            new.finish_reasons,
        )
        assert (old.parameters, [one["name"] for one in old.tools]) == (
            new.parameters,
            [one["name"] for one in new.tools],
        )
