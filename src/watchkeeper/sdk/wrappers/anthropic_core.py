"""What a call of Anthropic's Messages API says, as OTel GenAI attributes: pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from watchkeeper.model import semconv
from watchkeeper.sdk.wrappers.anthropic_messages import block, messages, system_parts, tools
from watchkeeper.sdk.wrappers.fold import SpanFields, Text, field, written

__all__ = ["MessagesFold", "messages_request", "messages_result"]

_NUMBERS = ("temperature", "top_p", "top_k", "max_tokens")
_HOUR = "anthropic.usage.cache_creation.ephemeral_1h_input_tokens"
"""Cache writes kept for an hour cost more; the name is that of the client's own spans."""

_GEO = "anthropic.usage.inference_geo"
"""Where the call was answered, as Anthropic reports it: it decides a part of the price."""


def messages_request(given: Mapping[str, Any], *, content: bool) -> SpanFields:
    """Describe a request; unset arguments are left out."""
    found: SpanFields = {
        semconv.REQUEST_PREFIX + name: value for name in _NUMBERS if isinstance(value := given.get(name), int | float)
    }
    stop = given.get("stop_sequences")
    if isinstance(stop, list | tuple) and stop:
        found["gen_ai.request.stop_sequences"] = [one for one in stop if isinstance(one, str)]
    if given.get("stream") is True:
        found["gen_ai.request.stream"] = True
    effort = field(given.get("output_config"), "effort")
    if isinstance(effort, str):
        found["gen_ai.request.reasoning.level"] = effort
    if content:
        found.update(_content(given))
    return found


def messages_result(answer: Any, *, content: bool) -> SpanFields:
    """Describe a Message."""
    found = _named(answer)
    found.update(_usage(_counts(field(answer, "usage"))))
    reason, blocks = field(answer, "stop_reason"), field(answer, "content")
    if isinstance(reason, str):
        found[semconv.FINISH_REASONS] = [reason]
    if content and blocks:
        found[semconv.OUTPUT_MESSAGES] = written({"content": blocks, "stop_reason": reason}, _as_message)
    return found


class MessagesFold:
    """Events of a Messages stream: blocks put together from their deltas, the last word on usage at the end."""

    def __init__(self) -> None:
        self._message: Any = None
        self._counts: dict[str, int] = {}
        self._reason: str | None = None
        self._blocks: dict[int, _Block] = {}

    def add(self, chunk: Any) -> bool:
        """Take one event."""
        kind = getattr(chunk, "type", None)
        if kind == "content_block_delta":
            place = self._blocks.get(chunk.index)
            return place is not None and place.add(chunk.delta)
        if kind == "content_block_start":
            self._blocks[chunk.index] = _Block(chunk.content_block)
            return getattr(chunk.content_block, "type", None) == "tool_use"
        if kind == "message_start":
            self._message = chunk.message
            self._counts.update(_counts(field(chunk.message, "usage")))
        elif kind == "message_delta":
            self._reason = field(chunk.delta, "stop_reason") or self._reason
            self._counts.update(_counts(field(chunk, "usage")))
        return False

    def fields(self, *, content: bool) -> SpanFields:
        """Describe what came."""
        found = {**_named(self._message), **_usage(self._counts)}
        if self._reason:
            found[semconv.FINISH_REASONS] = [self._reason]
        if content and self._blocks:
            blocks = [place.whole() for _, place in sorted(self._blocks.items())]
            found[semconv.OUTPUT_MESSAGES] = written({"content": blocks, "stop_reason": self._reason}, _as_message)
        return found


class _Block:
    """One block of a stream."""

    def __init__(self, start: Any) -> None:
        self._start = start
        self._kind = field(start, "type")
        self._said = Text(field(start, "text") or field(start, "thinking") or "")

    def add(self, delta: Any) -> bool:
        """Take a delta; True when it says something."""
        for name in ("text", "thinking", "partial_json"):
            piece = getattr(delta, name, None)
            if isinstance(piece, str):
                self._said.add(piece)
                return piece != ""
        return False

    def whole(self) -> Any:
        """Return the block as an answer in one piece would have it."""
        said = str(self._said)
        if self._kind in {"text", "thinking"}:
            return {"type": self._kind, self._kind: said}
        if not said:
            return self._start
        told = {name: field(self._start, name) for name in ("type", "id", "name")}
        try:
            return {**told, "input": json.loads(said)}
        except ValueError:  # cut short
            return {**told, "input": said}


def _content(given: Mapping[str, Any]) -> SpanFields:
    found: SpanFields = {}
    system, told, offered = given.get("system"), given.get("messages"), given.get("tools")
    if isinstance(system, str | list | tuple) and system:
        found[semconv.SYSTEM_INSTRUCTIONS] = written(system, system_parts)
    if isinstance(told, list | tuple):
        found[semconv.INPUT_MESSAGES] = written(told, messages)
    if isinstance(offered, list | tuple) and offered:
        found[semconv.TOOL_DEFINITIONS] = written(offered, tools)
    return found


def _named(answer: Any) -> SpanFields:
    told = {
        semconv.RESPONSE_ID: field(answer, "id"),
        semconv.RESPONSE_MODEL: field(answer, "model"),
        _GEO: field(field(answer, "usage"), "inference_geo"),
    }
    return {key: value for key, value in told.items() if isinstance(value, str) and value}


def _counts(usage: Any) -> dict[str, int]:
    told = {
        "uncached": field(usage, "input_tokens"),
        "read": field(usage, "cache_read_input_tokens"),
        "written": field(usage, "cache_creation_input_tokens"),
        "hour": field(field(usage, "cache_creation"), "ephemeral_1h_input_tokens"),
        "output": field(usage, "output_tokens"),
        "thinking": field(field(usage, "output_tokens_details"), "thinking_tokens"),
    }
    return {name: count for name, count in told.items() if isinstance(count, int)}


def _usage(told: dict[str, int]) -> SpanFields:
    """Add up the input: Anthropic's `input_tokens` is only what the cache did not serve."""
    found: SpanFields = {}
    if "uncached" in told:
        found[semconv.USAGE_INPUT] = told["uncached"] + told.get("read", 0) + told.get("written", 0)
    for name, key in (
        ("output", semconv.USAGE_OUTPUT),
        ("read", semconv.USAGE_CACHE_READ),
        ("written", semconv.USAGE_CACHE_WRITE),
        ("thinking", semconv.USAGE_REASONING),
        ("hour", _HOUR),
    ):
        if name in told:
            found[key] = told[name]
    return found


def _as_message(told: Any) -> list[Any]:
    parts = [block(one) for one in field(told, "content")]
    return [{"role": "assistant", "parts": parts, "finish_reason": field(told, "stop_reason")}]
