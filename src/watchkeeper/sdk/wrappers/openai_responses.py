"""What OpenAI's Responses API says, as OTel GenAI attributes: pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from watchkeeper.model import semconv
from watchkeeper.sdk.wrappers.fold import SpanFields, Text, field, written
from watchkeeper.sdk.wrappers.openai_core import counts, inside, named, parameters, tool_fields
from watchkeeper.sdk.wrappers.openai_messages import response_items, tool_call

__all__ = ["ResponsesFold", "responses_request", "responses_result"]


def responses_request(given: Mapping[str, Any], *, content: bool) -> SpanFields:
    """Describe a Responses request; unset arguments are left out."""
    found = parameters(given)
    conversation = given.get("conversation")
    told = conversation if isinstance(conversation, str) else field(conversation, "id")
    if isinstance(told, str):
        found[semconv.CONVERSATION_ID] = told
    if content:
        instructions, asked = given.get("instructions"), given.get("input")
        if isinstance(instructions, str):
            found[semconv.SYSTEM_INSTRUCTIONS] = written(instructions, _as_parts)
        if isinstance(asked, str | list | tuple):
            found[semconv.INPUT_MESSAGES] = written(asked, response_items)
        found.update(tool_fields(given))
    return found


def responses_result(answer: Any, *, content: bool) -> SpanFields:
    """Describe a Response."""
    found = named(answer)
    usage = field(answer, "usage")
    if usage is not None:
        found.update(
            counts(
                {
                    semconv.USAGE_INPUT: field(usage, "input_tokens"),
                    semconv.USAGE_OUTPUT: field(usage, "output_tokens"),
                    semconv.USAGE_CACHE_READ: inside(usage, "input_tokens_details", "cached_tokens"),
                    semconv.USAGE_CACHE_WRITE: inside(usage, "input_tokens_details", "cache_write_tokens"),
                    semconv.USAGE_REASONING: inside(usage, "output_tokens_details", "reasoning_tokens"),
                }
            )
        )
    status = field(answer, "status")
    if isinstance(status, str):
        found[semconv.FINISH_REASONS] = [inside(answer, "incomplete_details", "reason") or status]
    output = field(answer, "output")
    if content and output:
        found[semconv.OUTPUT_MESSAGES] = written(output, _as_message)
    return found


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
            found[semconv.OUTPUT_MESSAGES] = written(str(self._text), _as_answer)
        return found


def _as_parts(text: str) -> list[Any]:
    return [{"type": "text", "content": text}]


def _as_answer(text: str) -> list[Any]:
    return [{"role": "assistant", "parts": _as_parts(text)}]


def _as_message(output: Any) -> list[Any]:
    return [{"role": "assistant", "parts": [part for one in output for part in _item(one)]}]


def _item(item: Any) -> list[dict[str, Any]]:
    kind = field(item, "type")
    if kind == "message":
        texts = [field(one, "text") or field(one, "refusal") for one in field(item, "content") or ()]
        return [{"type": "text", "content": text} for text in texts if isinstance(text, str)]
    if kind == "function_call":
        return [tool_call(field(item, "call_id"), field(item, "name"), field(item, "arguments"))]
    if kind == "reasoning":
        texts = [field(one, "text") or "" for one in field(item, "summary") or ()]
        return [{"type": "reasoning", "content": text} for text in texts]
    if kind == "image_generation_call":  # the picture itself would outgrow everything else
        return [{"type": "image_generation_call", "id": field(item, "id"), "status": field(item, "status")}]
    return [{"type": str(kind), "value": item}]
