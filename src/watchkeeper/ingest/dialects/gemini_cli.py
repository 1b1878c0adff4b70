"""Gemini CLI's traces: OpenTelemetry's keys with Gemini's own shapes in them, and the same in joined log records.

Read from what 0.61.0 sends. A span's texts end at 10,000 characters; the log record of a request has them whole.
"""

from __future__ import annotations

from typing import Any

import msgspec

from watchkeeper.ingest import bodies
from watchkeeper.ingest.draft import Draft
from watchkeeper.ingest.folding import texts_joined
from watchkeeper.ingest.messages import content_of, messages_of
from watchkeeper.ingest.read import integer, loads, plain, strings, text
from watchkeeper.model import Attributes, Content, Message, RawSpan, SpanKind, Usage, semconv

__all__ = ["GeminiCli"]

_KINDS: dict[str, SpanKind] = {"llm_call": "llm", "tool_call": "tool", "agent_call": "agent", "user_prompt": "agent"}
_DETAILS, _ANSWERED = "gen_ai.client.inference.operation.details", "gemini_cli.api_response"
_NO_PARAMETERS = frozenset({semconv.REQUEST_MODEL})
_OUTPUT, _INPUT = semconv.OUTPUT_MESSAGES, semconv.INPUT_MESSAGES


class GeminiCli:
    """`gen_ai.*`, as Gemini CLI uses it."""

    name = "gemini_cli"
    heads = frozenset({"gen_ai"})

    def speaks(self, raw: RawSpan) -> bool:
        """Say whether Gemini CLI's tracer made the span."""
        return raw.scope.name == "gemini-cli"

    def read(self, raw: RawSpan) -> Draft:
        """Read a call, a tool's run, or whatever else it timed."""
        found = raw.attributes
        operation = text(found.get(semconv.OPERATION))
        draft = Draft(
            kind=_KINDS.get(operation or "", "span"),
            operation=operation,
            agent_name=text(found.get(semconv.AGENT_NAME)),
            session_id=text(found.get(semconv.CONVERSATION_ID)),
        )
        if draft.kind == "llm":
            _call(draft, raw)
        elif draft.kind == "tool":
            _tool(draft, found)
        else:
            draft.input, draft.output = content_of(plain(found.get(_INPUT))), content_of(plain(found.get(_OUTPUT)))
        return draft


def _call(draft: Draft, raw: RawSpan) -> None:
    found, logs = raw.attributes, _logs(raw)
    details, answered = logs.get(_DETAILS, {}), logs.get(_ANSWERED, {})
    draft.provider = _provider(logs)
    draft.request_model = text(found.get(semconv.REQUEST_MODEL))
    draft.response_model = text(answered.get("model"))
    draft.response_id = text(details.get(semconv.RESPONSE_ID))
    draft.usage = _usage(found, answered)
    draft.finish_reasons = strings(details.get(semconv.FINISH_REASONS))[-1:]
    draft.parameters = _parameters(details)
    draft.tools = bodies.tools({"tools": loads(found.get(semconv.TOOL_DEFINITIONS))})
    draft.input = _input(found, details)
    draft.output = _output(loads(found.get(_OUTPUT)))


def _logs(raw: RawSpan) -> dict[str, Attributes]:
    """Return the joined records by the name of their event; a request's and its answer's details are one."""
    logs: dict[str, Attributes] = {}
    for log in raw.logs:
        name = log.attributes.get("event.name")
        if isinstance(name, str):
            told = {key: value for key, value in log.attributes.items() if value is not None}
            logs[name] = {**logs.get(name, {}), **told}
    return logs


def _provider(logs: dict[str, Attributes]) -> str:
    vertex = any(one.get("auth_type") == "vertex-ai" for one in logs.values())
    return "gcp.vertex_ai" if vertex else "gcp.gemini"


def _usage(found: Attributes, answered: Attributes) -> Usage:
    """Read the counts: the span has those of the prompt and of the answer, a joined record the others too."""
    thought, answer = integer(answered.get("thoughts_token_count")), integer(answered.get("output_token_count"))
    if answer is None:
        return Usage(
            input_tokens=integer(found.get(semconv.USAGE_INPUT)), output_tokens=integer(found.get(semconv.USAGE_OUTPUT))
        )
    return Usage(
        input_tokens=(integer(answered.get("input_token_count")) or 0)
        + (integer(answered.get("tool_token_count")) or 0),
        output_tokens=answer + (thought or 0),
        cache_read_tokens=integer(answered.get("cached_content_token_count")),
        reasoning_tokens=thought,
    )


def _parameters(details: Attributes) -> dict[str, Any]:
    start = len(semconv.REQUEST_PREFIX)
    return {
        key[start:]: plain(value)
        for key, value in details.items()
        if key[:start] == semconv.REQUEST_PREFIX and key not in _NO_PARAMETERS
    }


def _input(found: Attributes, details: Attributes) -> Content | None:
    """Read the contents, or, where they were cut short, what the request's record has of them."""
    contents = loads(found.get(_INPUT))
    given = bodies.gemini_turns(contents) if isinstance(contents, list) else _recorded(details)
    if not given:
        return content_of(plain(contents))
    parts = loads(details.get(semconv.SYSTEM_INSTRUCTIONS)) or loads(found.get(semconv.SYSTEM_INSTRUCTIONS))
    system = messages_of([{"role": "system", "content": parts}], "system") if parts else ()
    return Content(messages=system + given)


def _recorded(details: Attributes) -> tuple[Message, ...]:
    """Read a request's record, which calls the model's turns the system's."""
    given = loads(details.get(_INPUT))
    turns = bodies.turns(given) if isinstance(given, list) else ()
    return tuple(msgspec.structs.replace(one, role="assistant") if one.role == "system" else one for one in turns)


def _output(told: Any) -> Content | None:  # noqa: ANN401 - JSON is any shape
    """Read the answer; of a stream each piece is a content of its own."""
    contents = told if isinstance(told, list) else [told]
    pieces = [one["parts"] for one in contents if isinstance(one, dict) and isinstance(one.get("parts"), list)]
    if not pieces:
        return content_of(plain(told))
    parts = texts_joined([part for one in pieces for part in one])
    return Content(messages=bodies.gemini_turns([{"role": "model", "parts": parts}]))


def _tool(draft: Draft, found: Attributes) -> None:
    request, told = loads(found.get(_INPUT)), loads(found.get(_OUTPUT))
    draft.tool_name = text(found.get(semconv.TOOL_NAME))
    draft.input = content_of(plain(request.get("args") if isinstance(request, dict) else request))
    response = told.get("response") if isinstance(told, dict) else None
    if not isinstance(response, dict):
        draft.output = content_of(plain(told))
        return
    shown, parts = response.get("resultDisplay"), response.get("responseParts")
    draft.error_type = text(response.get("errorType"))
    draft.output = content_of(plain(shown if isinstance(shown, str) and shown else parts))
