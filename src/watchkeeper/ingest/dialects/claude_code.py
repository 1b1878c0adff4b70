"""Claude Code's traces, a beta of its own: `claude_code.*` spans, what was said in attributes or in joined log records.

Read from what 2.1.332 sends. It writes gen_ai.* beside its own keys, which `otel_genai` reads; earlier versions did not.
Log records name the interaction, and no single call: a call's messages come with detailed tracing only.
"""

from __future__ import annotations

import re
from typing import Any

from watchkeeper.ingest.draft import Draft
from watchkeeper.ingest.messages import content_of
from watchkeeper.ingest.read import integer, loads, number, text
from watchkeeper.model import (
    Attributes,
    Content,
    Message,
    Part,
    RawSpan,
    SpanKind,
    TextPart,
    ToolResultPart,
    Usage,
)

__all__ = ["ClaudeCode"]

_PREFIX = "claude_code."
_KINDS: dict[str, SpanKind] = {"interaction": "agent", "llm_request": "llm", "tool": "tool"}
_TURN = re.compile(r"(?:^|\n\n---\n\n)\[(USER|TOOL RESULT: ([^\]\n]*))\]\n")
_HEAD = re.compile(r"\[TOOL (?:INPUT|RESULT): [^\]\n]*\]\n")
_HIDDEN = "<REDACTED>"
_TOLD_OF_TOOLS = ("full_command", "bash_command", "file_path", "skill_name", "subagent_type")
_MS = 1_000_000
_LONGEST = 1e9


class ClaudeCode:
    """`claude_code.*`."""

    name = "claude_code"
    heads = frozenset({"span"})

    def speaks(self, raw: RawSpan) -> bool:
        """Say whether it is one of Claude Code's spans: they are named so, and name their type."""
        return raw.name[:12] == _PREFIX and "span.type" in raw.attributes

    def read(self, raw: RawSpan) -> Draft:
        """Read an interaction, a call, a tool's run, or whatever else it timed."""
        found = raw.attributes
        kind = _KINDS.get(raw.name[12:])
        if kind == "llm":
            return _call(found)
        if kind == "tool":
            return _tool(raw)
        if kind == "agent":
            return _interaction(raw)
        return Draft(kind="span", error_type=text(found.get("error_class")), session_id=text(found.get("session.id")))


def _interaction(raw: RawSpan) -> Draft:
    said = [log for log in raw.logs if log.attributes.get("event.name") == "assistant_response"]
    last = max(said, key=lambda one: one.time, default=None)
    return Draft(
        kind="agent",
        agent_name="claude-code",
        input=content_of(_shown(raw.attributes.get("user_prompt"))),
        output=content_of(_shown(last.attributes.get("response"))) if last else None,
    )


def _call(found: Attributes) -> Draft:
    first = number(found.get("ttft_ms"))
    answer, reason = _shown(found.get("response.model_output")), text(found.get("stop_reason"))
    given = _given(found)
    return Draft(
        kind="llm",
        provider="anthropic",
        request_model=text(found.get("model")),
        usage=_usage(found),
        time_to_first_token_ns=round(first * _MS) if first is not None and 0 <= first < _LONGEST else None,
        streaming=True if first is not None else None,
        finish_reasons=(reason,) if reason else (),
        parameters={"effort": effort} if (effort := text(found.get("effort"))) else {},
        input=Content(messages=given) if given else None,
        output=Content(messages=(Message(role="assistant", parts=(TextPart(answer),)),)) if answer else None,
        error_type=text(found.get("error_class")),
    )


def _usage(found: Attributes) -> Usage:
    """Read the counts, in which, as in Anthropic's own, the cache stands beside the input."""
    given, read = integer(found.get("input_tokens")), integer(found.get("cache_read_tokens"))
    written = integer(found.get("cache_creation_tokens"))
    return Usage(
        input_tokens=None if given is None else given + (read or 0) + (written or 0),
        output_tokens=integer(found.get("output_tokens")),
        cache_read_tokens=read,
        cache_write_tokens=written,
    )


def _given(found: Attributes) -> tuple[Message, ...]:
    """Read what a call was given since the last one; the system's prompt comes with the first alone."""
    turns: list[Message] = []
    system, context = _shown(found.get("user_system_prompt")), _shown(found.get("new_context")) or ""
    if system:
        turns.append(Message(role="system", parts=(TextPart(system),)))
    marks = list(_TURN.finditer(context))
    ends = [mark.start() for mark in marks[1:]] + [len(context)]
    for mark, end in zip(marks, ends, strict=False):
        told = context[mark.end() : end]
        part: Part = TextPart(told) if mark[2] is None else ToolResultPart(id=mark[2], result=_result(told))
        turns.append(Message(role="user" if mark[2] is None else "tool", parts=(part,)))
    return tuple(turns)


def _tool(raw: RawSpan) -> Draft:
    found = raw.attributes
    given: Any = _bare(found.get("tool_input"))
    if given is None:
        given = {key: found[key] for key in _TOLD_OF_TOOLS if key in found} or None
    outputs = [event.attributes for event in raw.events if event.name == "tool.output"]
    answer = (
        next((shown for one in outputs if (shown := one.get("output")) not in {None, ""}), None) if outputs else None
    )
    return Draft(
        kind="tool",
        tool_name=text(found.get("gen_ai.tool.name")) or text(found.get("tool_name")),
        input=content_of(given),
        output=content_of(
            loads(answer) if answer is not None else _result(_bare(found.get("new_context")) or "") or None
        ),
        error_type=text(found.get("error_class")),
    )


def _bare(value: object) -> str | None:
    """Return a text without the line that names its tool."""
    return _HEAD.sub("", value, count=1) if isinstance(value, str) and value else None


def _result(told: str) -> Any:  # noqa: ANN401 - JSON is any shape
    """Unpack a tool's result: JSON, or the text of its blocks."""
    result = loads(told)
    if (
        isinstance(result, list)
        and result
        and all(isinstance(one, dict) and isinstance(one.get("text"), str) for one in result)
    ):
        return loads("".join(one["text"] for one in result))
    return result


def _shown(value: object) -> str | None:
    return value if isinstance(value, str) and value not in {"", _HIDDEN} else None
