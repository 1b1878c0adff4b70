"""OpenTelemetry's GenAI conventions before 1.37: content in events, in JSON or under numbered keys, and older names.

Libraries keep what they began with: OpenLLMetry wrote `gen_ai.prompt.N` until 2026, Spring AI and others still do.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from watchkeeper.ingest.draft import Draft
from watchkeeper.ingest.message_events import MESSAGE_EVENTS, Conversation, conversation_of
from watchkeeper.ingest.messages import messages_of
from watchkeeper.ingest.read import indexed, integer, numbered, plain, text
from watchkeeper.model import Attributes, AttributeValue, Content, Message, RawSpan, Usage, semconv

__all__ = ["OtelLegacy"]

_USAGE = {
    "gen_ai.usage.prompt_tokens": "input_tokens", "gen_ai.usage.completion_tokens": "output_tokens",
    "gen_ai.usage.cache_read_input_tokens": "cache_read_tokens",
    "gen_ai.usage.cache_creation_input_tokens": "cache_write_tokens",
}  # fmt: skip
_PARAMETERS = {
    "gen_ai.openai.request.seed": "seed", "gen_ai.openai.request.response_format": "response_format",
    "gen_ai.openai.response.service_tier": "service_tier", "gen_ai.openai.request.service_tier": "service_tier",
}  # fmt: skip
_INDEXED = frozenset(
    f"gen_ai.{side}.{number}.{field}"
    for side in ("prompt", "completion")
    for number in (0, 1)
    for field in ("role", "content", "finish_reason", "tool_calls.0.name", "user")
)
"""Of each list, a key of one of the first two is always there."""
_WHOLE = frozenset({"gen_ai.prompt", "gen_ai.completion"})
_MARKS = _INDEXED | _WHOLE | _USAGE.keys() | _PARAMETERS.keys()
_CONTENT_EVENTS = {"gen_ai.content.prompt": "gen_ai.prompt", "gen_ai.content.completion": "gen_ai.completion"}
"""Span events of 1.27 and before, and the attribute that holds the messages."""
_EVENTS = MESSAGE_EVENTS.keys() | _CONTENT_EVENTS.keys()
_NO_USAGE = Usage()


class OtelLegacy:
    """What `gen_ai.*` was."""

    name = "otel_legacy"
    heads = frozenset({"gen_ai"})

    def speaks(self, raw: RawSpan) -> bool:
        """Say whether there is a key or an event that the conventions have since taken back."""
        found = raw.attributes
        if not _MARKS.isdisjoint(found) or ("gen_ai.system" in found and semconv.PROVIDER not in found):
            return True
        return any(one.name in _EVENTS for one in raw.events) or any(one.event_name in _EVENTS for one in raw.logs)

    def read(self, raw: RawSpan) -> Draft:
        """Read it."""
        found = raw.attributes
        given, answer = _conversation(raw)
        return Draft(
            provider=text(found.get("gen_ai.system")),
            usage=_usage(found),
            finish_reasons=tuple(one.finish_reason for one in answer if one.finish_reason),
            parameters={name: plain(found[key]) for key, name in _PARAMETERS.items() if key in found},
            input=Content(messages=given) if given else None,
            output=Content(messages=answer) if answer else None,
        )


def _usage(found: Attributes) -> Usage:
    counts = {_USAGE[key]: integer(found[key]) for key in found.keys() & _USAGE.keys()}
    return Usage(**counts) if counts else _NO_USAGE


def _conversation(raw: RawSpan) -> Conversation:
    """Read the first form that is there; two of one span are never spliced."""
    found = raw.attributes
    if not _INDEXED.isdisjoint(found):
        lists = indexed(found)
        return _numbered(lists.get("gen_ai.prompt"), "user"), _numbered(lists.get("gen_ai.completion"), "assistant")
    if not _WHOLE.isdisjoint(found):
        return _whole(found)
    given, answer = conversation_of(_events(raw))
    for event in raw.events:
        if event.name in _CONTENT_EVENTS:
            told = _whole(event.attributes)
            given, answer = given or told[0], answer or told[1]
    return given, answer


def _whole(found: Attributes) -> Conversation:
    return messages_of(found.get("gen_ai.prompt"), "user"), messages_of(found.get("gen_ai.completion"), "assistant")


def _events(raw: RawSpan) -> Iterator[tuple[str, AttributeValue]]:
    """Give the messages in the order in which they were written; as log records they may arrive in any."""
    for log in sorted(raw.logs, key=lambda one: one.time):
        yield log.event_name, log.body if isinstance(log.body, dict) else dict(log.attributes)
    for event in raw.events:
        yield event.name, dict(event.attributes)


def _numbered(tree: Any, role: str) -> tuple[Message, ...]:  # noqa: ANN401 - a tree of dicts
    told = numbered(tree)  # a tree of our own making
    for one in told:
        if "tool_calls" in one:
            one["tool_calls"] = numbered(one["tool_calls"]) or one["tool_calls"]
        # Some put the role where the content's name belongs: `gen_ai.prompt.0.user`.
        if "content" not in one and "role" not in one:
            one["content"] = one.get(role)
    return messages_of(told, role)
