"""What a call in OpenAI's shapes says, as OTel GenAI attributes: pure, and shared by the sync and async drivers.

Reads by `getattr`, not `model_dump`: a dump of the response is most of what a tracer costs its caller.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from watchkeeper.model import semconv
from watchkeeper.sdk.encode import to_json
from watchkeeper.sdk.wrappers.fold import SpanFields, Text
from watchkeeper.sdk.wrappers.openai_messages import (
    content_pieces,
    field,
    message,
    messages,
    response_items,
    tool_call,
    tools,
)

__all__ = [
    "ChatFold",
    "ResponsesFold",
    "chat_request",
    "chat_result",
    "chat_usage",
    "embedding_request",
    "embedding_result",
    "named",
    "responses_request",
    "responses_result",
]

_NUMBERS = ("temperature", "top_p", "frequency_penalty", "presence_penalty", "seed")
_MAX = ("max_completion_tokens", "max_output_tokens", "max_tokens")


def chat_request(given: Mapping[str, Any], *, content: bool) -> SpanFields:
    """Describe a chat completion's request; unset arguments are left out."""
    found = _parameters(given)
    if content:
        if given.get("messages") is not None:
            found[semconv.INPUT_MESSAGES] = to_json(messages(given["messages"]))
        _add_tools(found, given)
    return found


def responses_request(given: Mapping[str, Any], *, content: bool) -> SpanFields:
    """Describe a Responses request."""
    found = _parameters(given)
    if content:
        if isinstance(given.get("instructions"), str):
            found[semconv.SYSTEM_INSTRUCTIONS] = to_json([{"type": "text", "content": given["instructions"]}])
        if given.get("input") is not None:
            found[semconv.INPUT_MESSAGES] = to_json(response_items(given["input"]))
        _add_tools(found, given)
    return found


def embedding_request(given: Mapping[str, Any], *, content: bool, key: str = "input") -> SpanFields:
    """Describe a request for embeddings; `key` is what the client calls the texts."""
    found = _parameters(given)
    told = given.get(key)
    if content and told is not None:
        found[semconv.WK_INPUT] = told if isinstance(told, str) else to_json(told)
    return found


def _parameters(given: Mapping[str, Any]) -> SpanFields:
    found: SpanFields = {}
    for name in _NUMBERS:
        value = given.get(name)
        if isinstance(value, int | float):
            found[semconv.REQUEST_PREFIX + name] = value
    limit = next((given[name] for name in _MAX if isinstance(given.get(name), int)), None)
    if limit is not None:
        found["gen_ai.request.max_tokens"] = limit
    stop, count = given.get("stop"), given.get("n")
    if isinstance(stop, str) or (isinstance(stop, list | tuple) and all(isinstance(one, str) for one in stop)):
        found["gen_ai.request.stop_sequences"] = [stop] if isinstance(stop, str) else list(stop)
    if isinstance(count, int) and count != 1:
        found["gen_ai.request.choice.count"] = count
    if given.get("stream") is True:
        found["gen_ai.request.stream"] = True
    return found


def _add_tools(found: SpanFields, given: Mapping[str, Any]) -> None:
    offered = given.get("tools")
    if isinstance(offered, list | tuple) and offered:
        found[semconv.TOOL_DEFINITIONS] = to_json(tools(offered))


def chat_result(answer: Any, *, content: bool) -> SpanFields:
    """Describe a ChatCompletion."""
    found = named(answer)
    found.update(chat_usage(getattr(answer, "usage", None)))
    choices = getattr(answer, "choices", None) or ()
    reasons = [reason for one in choices if (reason := getattr(one, "finish_reason", None))]
    if reasons:
        found[semconv.FINISH_REASONS] = reasons
    if content and choices:
        found[semconv.OUTPUT_MESSAGES] = to_json([_choice(one) for one in choices])
    return found


def embedding_result(answer: Any, *, content: bool) -> SpanFields:  # noqa: ARG001 - vectors are never captured
    """Describe a CreateEmbeddingResponse: counts and sizes, not the vectors."""
    found = named(answer)
    usage = getattr(answer, "usage", None)
    if usage is not None:
        found[semconv.USAGE_INPUT] = getattr(usage, "prompt_tokens", 0)
    data = getattr(answer, "data", None) or ()
    vector = getattr(data[0], "embedding", None) if data else None
    if isinstance(vector, list):
        found["gen_ai.embeddings.dimension.count"] = len(vector)
    return found


def responses_result(answer: Any, *, content: bool) -> SpanFields:
    """Describe a Response."""
    found = named(answer)
    usage = getattr(answer, "usage", None)
    if usage is not None:
        found[semconv.USAGE_INPUT] = getattr(usage, "input_tokens", None)
        found[semconv.USAGE_OUTPUT] = getattr(usage, "output_tokens", None)
        found[semconv.USAGE_CACHE_READ] = _inside(usage, "input_tokens_details", "cached_tokens")
        found[semconv.USAGE_REASONING] = _inside(usage, "output_tokens_details", "reasoning_tokens")
        found = {key: value for key, value in found.items() if value is not None}
    status = getattr(answer, "status", None)
    if isinstance(status, str):
        found[semconv.FINISH_REASONS] = [status]
    output = getattr(answer, "output", None)
    if content and output:
        found[semconv.OUTPUT_MESSAGES] = to_json(
            [{"role": "assistant", "parts": [p for one in output for p in _item(one)]}]
        )
    return found


def named(answer: Any) -> SpanFields:
    """Say which answer it is, and which model gave it."""
    found: SpanFields = {}
    for key, name in ((semconv.RESPONSE_ID, "id"), (semconv.RESPONSE_MODEL, "model")):
        value = getattr(answer, name, None)
        if isinstance(value, str) and value:
            found[key] = value
    return found


def chat_usage(usage: Any) -> SpanFields:
    """Read the token counts of a chat: totals that hold the cached and the reasoning tokens, and those beside them."""
    if not usage:
        return {}
    counts = {
        semconv.USAGE_INPUT: getattr(usage, "prompt_tokens", None),
        semconv.USAGE_OUTPUT: getattr(usage, "completion_tokens", None),
        semconv.USAGE_CACHE_READ: _inside(usage, "prompt_tokens_details", "cached_tokens"),
        semconv.USAGE_REASONING: _inside(usage, "completion_tokens_details", "reasoning_tokens"),
        "gen_ai.usage.audio.input_tokens": _inside(usage, "prompt_tokens_details", "audio_tokens"),
        "gen_ai.usage.audio.output_tokens": _inside(usage, "completion_tokens_details", "audio_tokens"),
    }
    return {key: value for key, value in counts.items() if isinstance(value, int)}


def _inside(usage: Any, group: str, name: str) -> int | None:
    value = field(field(usage, group), name)
    return value if isinstance(value, int) else None


def _choice(choice: Any) -> Any:
    told = message(getattr(choice, "message", None))
    return {**told, "finish_reason": getattr(choice, "finish_reason", None)} if isinstance(told, dict) else told


def _item(item: Any) -> list[dict[str, Any]]:
    kind = getattr(item, "type", None)
    if kind == "message":
        texts = [
            getattr(one, "text", None) or getattr(one, "refusal", None) for one in getattr(item, "content", None) or ()
        ]
        return [{"type": "text", "content": text} for text in texts if isinstance(text, str)]
    if kind == "function_call":
        return [
            tool_call(getattr(item, "call_id", None), getattr(item, "name", None), getattr(item, "arguments", None))
        ]
    if kind == "reasoning":
        texts = [getattr(one, "text", "") for one in getattr(item, "summary", None) or ()]
        return [{"type": "reasoning", "content": text} for text in texts]
    return [{"type": str(kind), "value": item}]


class ChatFold:
    """Chunks of a chat stream: text and tool calls put together, usage from the last chunk that tells it."""

    def __init__(self) -> None:
        self._last: Any = None
        self._usage: Any = None
        self._said: dict[int, _Said] = {}
        self._reasons: dict[int, str] = {}

    def add(self, chunk: Any) -> bool:
        """Take one chunk."""
        if getattr(chunk, "usage", None):
            self._usage = chunk.usage
        choices = getattr(chunk, "choices", None) or ()
        if choices or self._last is None:
            self._last = chunk
        said = False
        for choice in choices:
            index = getattr(choice, "index", 0)
            place = self._said.get(index)
            if place is None:
                place = self._said[index] = _Said()
            said = place.add(getattr(choice, "delta", None)) or said
            reason = getattr(choice, "finish_reason", None)
            if reason:
                self._reasons[index] = reason
        return said

    def fields(self, *, content: bool) -> SpanFields:
        """Describe what came."""
        found = {**named(self._last), **self.usage(self._usage)}
        if self._reasons:
            found[semconv.FINISH_REASONS] = [self._reasons[index] for index in sorted(self._reasons)]
        told = [
            {"role": "assistant", "parts": parts, "finish_reason": self._reasons.get(index)}
            for index, said in sorted(self._said.items())
            if (parts := said.parts())
        ]
        if content and told:
            found[semconv.OUTPUT_MESSAGES] = to_json(told)
        return found

    def usage(self, told: Any) -> SpanFields:
        """Read the token counts."""
        return chat_usage(told)


class _Said:
    """What one choice of a stream has said so far."""

    def __init__(self) -> None:
        self._texts: dict[str, Text] = {}
        self._calls: dict[int, tuple[dict[str, Any], Text]] = {}

    def add(self, delta: Any) -> bool:
        """Take a delta; True when it says something."""
        said = False
        content = getattr(delta, "content", None)
        if content:
            for kind, text in (("text", content),) if isinstance(content, str) else content_pieces(content):
                self._add_text(kind, text)
                said = True
        for name, kind in _SPOKEN:
            spoken = getattr(delta, name, None)
            if isinstance(spoken, str) and spoken:
                self._add_text(kind, spoken)
                said = True
        for call in getattr(delta, "tool_calls", None) or ():
            self._add_call(call)
            said = True
        return said

    def parts(self) -> list[dict[str, Any]]:
        """Return the parts of the message."""
        found: list[dict[str, Any]] = [
            {"type": kind, "content": str(text)} for kind, text in sorted(self._texts.items()) if text
        ]
        return found + [
            {**call, "arguments": str(arguments) if arguments else call["arguments"]}
            for _, (call, arguments) in sorted(self._calls.items())
        ]

    def _add_text(self, kind: str, text: str) -> None:
        place = self._texts.get(kind)
        if place is None:
            place = self._texts[kind] = Text()
        place.add(text)

    def _add_call(self, call: Any) -> None:
        index = getattr(call, "index", 0) or 0
        place, arguments = self._calls.setdefault(index, (tool_call(None, "", ""), Text()))
        told = getattr(call, "id", None)
        if told and told != "null":
            place["id"] = told
        function = getattr(call, "function", None)
        place["name"] += getattr(function, "name", None) or ""
        given = getattr(function, "arguments", None) or ""
        if isinstance(given, str):
            arguments.add(given)
        else:
            place["arguments"] = given


_SPOKEN = (("reasoning_content", "reasoning"), ("refusal", "text"))
"""Where a delta says something beside its content, and the kind of part that is."""


class ResponsesFold:
    """Events of a Responses stream; the last one holds the whole response."""

    def __init__(self) -> None:
        self._response: Any = None
        self._text = Text()

    def add(self, chunk: Any) -> bool:
        """Take one event."""
        if getattr(chunk, "response", None) is not None:
            self._response = chunk.response
        kind = str(getattr(chunk, "type", ""))
        if kind == "response.output_text.delta":
            self._text.add(str(getattr(chunk, "delta", "")))
        return kind.endswith(".delta")

    def fields(self, *, content: bool) -> SpanFields:
        """Describe what came; a stream cut short still gives its text."""
        found = responses_result(self._response, content=content)
        if content and semconv.OUTPUT_MESSAGES not in found and self._text:
            part = {"type": "text", "content": str(self._text)}
            found[semconv.OUTPUT_MESSAGES] = to_json([{"role": "assistant", "parts": [part]}])
        return found
