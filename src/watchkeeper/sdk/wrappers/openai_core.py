"""What an OpenAI call says, as OTel GenAI attributes: pure, and shared by the sync and async drivers.

Reads by `getattr`, not `model_dump`: a dump of the response is most of what a tracer costs its caller.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from watchkeeper.model import semconv
from watchkeeper.sdk.encode import to_json
from watchkeeper.sdk.wrappers.openai_messages import message, messages, response_items, tool_call, tools
from watchkeeper.sdk.wrappers.providers import provider_of

__all__ = [
    "ChatFold",
    "Fold",
    "ResponsesFold",
    "SpanFields",
    "chat_result",
    "embedding_result",
    "request_fields",
    "responses_result",
]

SpanFields = dict[str, Any]

_NUMBERS = ("temperature", "top_p", "frequency_penalty", "presence_penalty", "seed")
_MAX = ("max_completion_tokens", "max_output_tokens", "max_tokens")


def request_fields(
    operation: str, given: Mapping[str, Any], host: str | None, port: int | None, *, content: bool
) -> SpanFields:
    """Describe a request. `operation` is chat, responses or embeddings; unset arguments are left out."""
    model = given.get("model")
    found: SpanFields = {
        semconv.OPERATION: "embeddings" if operation == "embeddings" else "chat",
        semconv.PROVIDER: provider_of(host),
    }
    if isinstance(model, str):
        found[semconv.REQUEST_MODEL] = model
    if host:
        found[semconv.SERVER_ADDRESS] = host
    if port:
        found[semconv.SERVER_PORT] = port
    found.update(_parameters(given))
    if content:
        found.update(_request_content(operation, given))
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


def _request_content(operation: str, given: Mapping[str, Any]) -> SpanFields:
    found: SpanFields = {}
    if operation == "chat":
        if given.get("messages") is not None:
            found[semconv.INPUT_MESSAGES] = to_json(messages(given["messages"]))
    elif operation == "responses":
        if isinstance(given.get("instructions"), str):
            found[semconv.SYSTEM_INSTRUCTIONS] = to_json([{"type": "text", "content": given["instructions"]}])
        told = given.get("input")
        if told is not None:
            found[semconv.INPUT_MESSAGES] = to_json(response_items(told))
    elif given.get("input") is not None:
        told = given["input"]
        found[semconv.WK_INPUT] = told if isinstance(told, str) else to_json(told)
    offered = given.get("tools")
    if isinstance(offered, list | tuple) and offered:
        found[semconv.TOOL_DEFINITIONS] = to_json(tools(offered))
    return found


def chat_result(answer: Any, *, content: bool) -> SpanFields:
    """Describe a ChatCompletion."""
    found = _named(answer)
    found.update(_chat_usage(getattr(answer, "usage", None)))
    choices = getattr(answer, "choices", None) or ()
    reasons = [reason for one in choices if (reason := getattr(one, "finish_reason", None))]
    if reasons:
        found[semconv.FINISH_REASONS] = reasons
    if content and choices:
        found[semconv.OUTPUT_MESSAGES] = to_json([_choice(one) for one in choices])
    return found


def embedding_result(answer: Any, *, content: bool) -> SpanFields:  # noqa: ARG001 - vectors are never captured
    """Describe a CreateEmbeddingResponse: counts and sizes, not the vectors."""
    found = _named(answer)
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
    found = _named(answer)
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


def _named(answer: Any) -> SpanFields:
    found: SpanFields = {}
    for key, name in ((semconv.RESPONSE_ID, "id"), (semconv.RESPONSE_MODEL, "model")):
        value = getattr(answer, name, None)
        if isinstance(value, str) and value:
            found[key] = value
    return found


def _chat_usage(usage: Any) -> SpanFields:
    if usage is None:
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
    value = getattr(getattr(usage, group, None), name, None)
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


class Fold(Protocol):
    """Takes a stream's chunks one by one."""

    def add(self, chunk: Any) -> bool:
        """Take one chunk; True when it holds the first of the answer's text or calls."""
        ...

    def fields(self, *, content: bool) -> SpanFields:
        """Describe what came."""
        ...


class ChatFold:
    """Chunks of a chat stream: text and tool calls put together, usage from the last chunk."""

    def __init__(self) -> None:
        self._last: Any = None
        self._usage: Any = None
        self._texts: dict[int, list[str]] = {}
        self._calls: dict[int, dict[int, dict[str, Any]]] = {}
        self._reasons: dict[int, str] = {}

    def add(self, chunk: Any) -> bool:
        """Take one chunk."""
        if getattr(chunk, "usage", None) is not None:
            self._usage = chunk.usage
        choices = getattr(chunk, "choices", None) or ()
        if choices or self._last is None:
            self._last = chunk
        said = False
        for choice in choices:
            delta, index = getattr(choice, "delta", None), getattr(choice, "index", 0)
            text = getattr(delta, "content", None)
            if text:
                self._texts.setdefault(index, []).append(text)
                said = True
            for call in getattr(delta, "tool_calls", None) or ():
                self._add_call(index, call)
                said = True
            if getattr(choice, "finish_reason", None):
                self._reasons[index] = choice.finish_reason
        return said

    def _add_call(self, index: int, call: Any) -> None:
        place = self._calls.setdefault(index, {}).setdefault(getattr(call, "index", 0) or 0, tool_call(None, "", ""))
        if getattr(call, "id", None):
            place["id"] = call.id
        function = getattr(call, "function", None)
        place["name"] += getattr(function, "name", None) or ""
        place["arguments"] += getattr(function, "arguments", None) or ""

    def fields(self, *, content: bool) -> SpanFields:
        """Describe what came."""
        found = {**_named(self._last), **_chat_usage(self._usage)}
        if self._reasons:
            found[semconv.FINISH_REASONS] = [self._reasons[index] for index in sorted(self._reasons)]
        indexes = sorted({*self._texts, *self._calls})
        if content and indexes:
            found[semconv.OUTPUT_MESSAGES] = to_json([self._message(index) for index in indexes])
        return found

    def _message(self, index: int) -> dict[str, Any]:
        text = "".join(self._texts.get(index, ()))
        parts: list[dict[str, Any]] = [{"type": "text", "content": text}] if text else []
        parts += [call for _, call in sorted(self._calls.get(index, {}).items())]
        return {"role": "assistant", "parts": parts, "finish_reason": self._reasons.get(index)}


class ResponsesFold:
    """Events of a Responses stream; the last one holds the whole response."""

    def __init__(self) -> None:
        self._response: Any = None
        self._text: list[str] = []

    def add(self, chunk: Any) -> bool:
        """Take one event."""
        if getattr(chunk, "response", None) is not None:
            self._response = chunk.response
        kind = str(getattr(chunk, "type", ""))
        if kind == "response.output_text.delta":
            self._text.append(str(getattr(chunk, "delta", "")))
        return kind.endswith(".delta")

    def fields(self, *, content: bool) -> SpanFields:
        """Describe what came; a stream cut short still gives its text."""
        found = responses_result(self._response, content=content)
        if content and semconv.OUTPUT_MESSAGES not in found and self._text:
            part = {"type": "text", "content": "".join(self._text)}
            found[semconv.OUTPUT_MESSAGES] = to_json([{"role": "assistant", "parts": [part]}])
        return found
