"""What a call in OpenAI's shapes says, as OTel GenAI attributes: pure, and shared by the sync and async drivers.

Reads field by field, not by `model_dump`: a dump of the response is most of what a tracer costs its caller.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from watchkeeper.model import semconv
from watchkeeper.sdk.wrappers.fold import SpanFields, Text, field, written
from watchkeeper.sdk.wrappers.openai_messages import content_pieces, message, messages, tool_call, tools

__all__ = [
    "ChatFold",
    "chat_request",
    "chat_result",
    "chat_usage",
    "counts",
    "embedding_request",
    "embedding_result",
    "inside",
    "named",
    "parameters",
    "tool_fields",
]

_NUMBERS = ("temperature", "top_p", "frequency_penalty", "presence_penalty", "seed")
_MAX = ("max_completion_tokens", "max_output_tokens", "max_tokens")
_PARAMETERS = frozenset({*_NUMBERS, *_MAX, "stop", "n", "stream"})


def chat_request(given: Mapping[str, Any], *, content: bool) -> SpanFields:
    """Describe a chat completion's request; unset arguments are left out."""
    found = parameters(given)
    if content:
        told = given.get("messages")
        if isinstance(told, list | tuple):
            found[semconv.INPUT_MESSAGES] = written(told, messages)
        found.update(tool_fields(given))
    return found


def embedding_request(given: Mapping[str, Any], *, content: bool, key: str = "input") -> SpanFields:
    """Describe a request for embeddings; `key` is what the client calls the texts."""
    found = parameters(given)
    told = given.get(key)
    if content and told is not None:
        found[semconv.WK_INPUT] = told if isinstance(told, str) else written(told, _as_it_is)
    return found


def parameters(given: Mapping[str, Any]) -> SpanFields:
    """Read the parameters that all requests share."""
    found: SpanFields = {}
    if _PARAMETERS.isdisjoint(given):  # most calls have none
        return found
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


def tool_fields(given: Mapping[str, Any]) -> SpanFields:
    """Read the tools that a request offers."""
    offered = given.get("tools")
    return {semconv.TOOL_DEFINITIONS: written(offered, tools)} if isinstance(offered, list | tuple) and offered else {}


def chat_result(answer: Any, *, content: bool) -> SpanFields:
    """Describe a ChatCompletion."""
    found = named(answer)
    found.update(chat_usage(field(answer, "usage")))
    choices = field(answer, "choices") or ()
    reasons = [reason for one in choices if (reason := field(one, "finish_reason"))]
    if reasons:
        found[semconv.FINISH_REASONS] = reasons
    if content and choices:
        found[semconv.OUTPUT_MESSAGES] = written(choices, _choices)
    return found


def embedding_result(answer: Any, *, content: bool) -> SpanFields:  # noqa: ARG001 - vectors are never captured
    """Describe a CreateEmbeddingResponse: counts and sizes, not the vectors."""
    found = named(answer)
    found.update(counts({semconv.USAGE_INPUT: field(field(answer, "usage"), "prompt_tokens")}))
    data = field(answer, "data") or ()
    vector = field(data[0], "embedding") if data else None
    if isinstance(vector, list):
        found["gen_ai.embeddings.dimension.count"] = len(vector)
    return found


def named(answer: Any) -> SpanFields:
    """Say which answer it is, and which model gave it."""
    found: SpanFields = {}
    for key, name in ((semconv.RESPONSE_ID, "id"), (semconv.RESPONSE_MODEL, "model")):
        value = field(answer, name)
        if isinstance(value, str) and value:
            found[key] = value
    return found


def chat_usage(usage: Any) -> SpanFields:
    """Read the token counts of a chat: totals that hold the cached and the reasoning tokens, and those beside them."""
    if not usage:
        return {}
    before, after = field(usage, "prompt_tokens_details"), field(usage, "completion_tokens_details")
    return counts(
        {
            semconv.USAGE_INPUT: field(usage, "prompt_tokens"),
            semconv.USAGE_OUTPUT: field(usage, "completion_tokens"),
            semconv.USAGE_CACHE_READ: field(before, "cached_tokens"),
            semconv.USAGE_CACHE_WRITE: field(before, "cache_write_tokens"),
            semconv.USAGE_REASONING: field(after, "reasoning_tokens"),
            "gen_ai.usage.audio.input_tokens": field(before, "audio_tokens"),
            "gen_ai.usage.audio.output_tokens": field(after, "audio_tokens"),
        }
    )


def counts(found: SpanFields) -> SpanFields:
    """Keep what is a count."""
    return {key: value for key, value in found.items() if isinstance(value, int)}


def inside(thing: Any, group: str, name: str) -> Any:
    """Read a field of a field."""
    return field(field(thing, group), name)


def _as_it_is(value: Any) -> Any:
    return value


def _choices(choices: Any) -> list[Any]:
    return [_choice(one) for one in choices]


def _choice(choice: Any) -> Any:
    told = message(field(choice, "message"))
    return {**told, "finish_reason": field(choice, "finish_reason")} if isinstance(told, dict) else told


class ChatFold:
    """Chunks of a chat stream: text and tool calls put together, usage from the last chunk that tells it."""

    def __init__(self) -> None:
        self._last: Any = None
        self._usage: Any = None
        self._said: dict[int, _Said] = {}
        self._reasons: dict[int, str] = {}

    def add(self, chunk: Any) -> bool:
        """Take one chunk."""
        usage = getattr(chunk, "usage", None)
        if usage:
            self._usage = usage
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
            if content and (parts := said.parts())
        ]
        if told:
            found[semconv.OUTPUT_MESSAGES] = written(told, _as_it_is)
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
        sound = getattr(delta, "audio", None)
        if sound is not None:
            self._add_text("text", field(sound, "transcript") or "")
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
