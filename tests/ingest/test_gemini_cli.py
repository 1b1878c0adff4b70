"""Gemini CLI's spans: OpenTelemetry's keys, Gemini's shapes."""

from __future__ import annotations

import json
from typing import Any

from tests.ingest.recorded import spans
from tests.ingest.test_mapper import span
from watchkeeper.model import RawLog, Scope, Span

SCOPE = Scope(name="gemini-cli")
CUT = '[{"role":"user","parts":[{"text":"once upon a ...[TRUNCATED: original length 20000]'


def made(operation: str, *logs: dict[str, Any], **told: Any) -> Span:
    """Map a span of Gemini CLI's; `told` are keys without `gen_ai.`, dots as underscores doubled."""
    attributes = {f"gen_ai.{key.replace('__', '.')}": value for key, value in told.items()}
    records = tuple(RawLog(trace_id="a" * 32, span_id="b" * 16, attributes=one) for one in logs)
    return span({"gen_ai.operation.name": operation, **attributes}, scope=SCOPE, logs=records)


def roles(told: Span) -> list[str]:
    """Return who speaks in a call's input."""
    assert told.input is not None
    return [one.role for one in told.input.messages]


def test_a_stream_is_one_answer() -> None:
    """The pieces of an answer, each a content of its own, are one message and one text."""
    (answer,) = [
        one for one in spans("js-gemini-cli") if one.kind == "llm" and one.output and "sunny" in str(one.output)
    ]

    assert answer.output is not None
    assert [len(one.parts) for one in answer.output.messages] == [1]


def test_a_prompts_id_is_no_prompts_name() -> None:
    """What stands under gen_ai.prompt.name is the id of a turn, and does not become the name of a prompt."""
    found = spans("js-gemini-cli")

    assert {one.prompt_name for one in found} == {None}
    assert {one.dialects for one in found} == {("gemini_cli",)}


def test_a_request_that_was_cut_short_is_read_from_its_record() -> None:
    """Where a span's texts end early, the joined record has the conversation whole, with the model's turns as its own."""
    whole = [
        {"role": "user", "parts": [{"type": "text", "content": "hi"}]},
        {"role": "system", "parts": [{"type": "tool_call", "name": "look", "id": "c", "arguments": "{}"}]},
        {"role": "user", "parts": [{"type": "tool_call_response", "id": "c", "response": "{}"}]},
    ]
    details = {
        "event.name": "gen_ai.client.inference.operation.details",
        "gen_ai.input.messages": json.dumps(whole),
        "gen_ai.system_instructions": '[{"type":"text","content":"Be brief."}]',
        "gen_ai.request.temperature": 1,
    }
    told = made("llm_call", details, input__messages=CUT, request__model="gemini-2.5-pro")

    assert roles(told) == ["system", "user", "assistant", "tool"]
    assert told.parameters == {"temperature": 1}


def test_a_request_that_was_cut_short_is_kept_as_far_as_it_goes() -> None:
    """Without a record, the cut text is the input as it came."""
    told = made("llm_call", input__messages=CUT)

    assert told.input is not None
    assert told.input.text == CUT


def test_a_joined_answer_has_every_token() -> None:
    """Where the record of an answer names its span, its counts are the call's: thoughts within the output."""
    answered = {
        "event.name": "gemini_cli.api_response", "auth_type": "vertex-ai", "model": "gemini-2.5-flash-001",
        "input_token_count": 100, "output_token_count": 13, "cached_content_token_count": 64, "thoughts_token_count": 7,
    }  # fmt: skip
    told = made("llm_call", answered, usage__input_tokens=100, usage__output_tokens=13)

    assert (told.provider, told.model) == ("gcp.vertex_ai", "gemini-2.5-flash-001")
    assert (told.usage.output_tokens, told.usage.reasoning_tokens, told.usage.cache_read_tokens) == (20, 7, 64)


def test_a_tool_that_failed_is_told() -> None:
    """A tool's run without a text to show brings its parts, and the type of its error."""
    response = {"responseParts": [{"functionResponse": {"response": {"error": "no"}}}], "errorType": "unhandled"}
    told = made(
        "tool_call",
        tool__name="look",
        input__messages='{"callId":"c","args":{"a":1}}',
        output__messages=json.dumps({"status": "error", "response": response}),
    )

    assert (told.kind, told.tool_name, told.error_type) == ("tool", "look", "unhandled")
    assert told.input is not None
    assert told.output is not None
    assert (told.input.text, "no" in str(told.output.text)) == ('{"a":1}', True)


def test_other_operations_are_no_calls() -> None:
    """A round of tools is a span, a sub-agent an agent."""
    assert [made(one).kind for one in ("schedule_tool_calls", "agent_call", "something_new")] == [
        "span",
        "agent",
        "span",
    ]
