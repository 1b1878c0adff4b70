"""What OpenAI's sound and picture calls, and old completions, say: texts and token counts, never the media itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from watchkeeper.model import semconv
from watchkeeper.sdk.wrappers.fold import SpanFields, Text, field, written
from watchkeeper.sdk.wrappers.openai_core import chat_usage, counts, inside, named, parameters

__all__ = [
    "CompletionFold",
    "TranscriptFold",
    "completion_result",
    "image_request",
    "media_result",
    "prompt_request",
    "speech_request",
    "transcript_request",
]

_SECONDS = "openai.usage.audio.seconds"
"""Of transcriptions that are billed by time: their answer has no tokens."""


def prompt_request(given: Mapping[str, Any], *, content: bool) -> SpanFields:
    """Describe a request that is one prompt."""
    return _prompted(given, "prompt", content=content)


def image_request(given: Mapping[str, Any], *, content: bool) -> SpanFields:
    """Describe a request for pictures."""
    return {**_prompted(given, "prompt", content=content), "gen_ai.output.type": "image"}


def speech_request(given: Mapping[str, Any], *, content: bool) -> SpanFields:
    """Describe a request to say a text."""
    return {**_prompted(given, "input", content=content), "gen_ai.output.type": "speech"}


def transcript_request(given: Mapping[str, Any], *, content: bool) -> SpanFields:
    """Describe a request to write down, or translate, what is said."""
    return {**_prompted(given, "prompt", content=content), "gen_ai.output.type": "text"}


def media_result(answer: Any, *, content: bool) -> SpanFields:
    """Describe pictures or a transcript: usage by kind of token, and the text where there is one."""
    found = {**named(answer), **_usage(field(answer, "usage"))}
    text = answer if isinstance(answer, str) else field(answer, "text")
    if content and isinstance(text, str):
        found[semconv.OUTPUT_MESSAGES] = written(text, _as_answer)
    return found


def completion_result(answer: Any, *, content: bool) -> SpanFields:
    """Describe an old-style Completion."""
    found = {**named(answer), **chat_usage(field(answer, "usage"))}
    choices = field(answer, "choices") or ()
    reasons = [reason for one in choices if (reason := field(one, "finish_reason"))]
    if reasons:
        found[semconv.FINISH_REASONS] = reasons
    texts = [field(one, "text") for one in choices]
    if content and texts:
        found[semconv.OUTPUT_MESSAGES] = written(texts, _as_answers)
    return found


class CompletionFold:
    """Chunks of an old-style completion's stream."""

    def __init__(self) -> None:
        self._last: Any = None
        self._usage: Any = None
        self._text = Text()
        self._reason: str | None = None

    def add(self, chunk: Any) -> bool:
        """Take one chunk."""
        self._last = chunk
        self._usage = getattr(chunk, "usage", None) or self._usage
        said = False
        for choice in getattr(chunk, "choices", None) or ():
            text = getattr(choice, "text", None)
            if text and getattr(choice, "index", 0) == 0:
                self._text.add(text)
                said = True
            self._reason = getattr(choice, "finish_reason", None) or self._reason
        return said

    def fields(self, *, content: bool) -> SpanFields:
        """Describe what came."""
        found = {**named(self._last), **chat_usage(self._usage)}
        if self._reason:
            found[semconv.FINISH_REASONS] = [self._reason]
        if content and self._text:
            found[semconv.OUTPUT_MESSAGES] = written(str(self._text), _as_answer)
        return found


class TranscriptFold:
    """Events of a transcription's or a picture's stream; the last one has the usage."""

    def __init__(self) -> None:
        self._text = Text()
        self._usage: Any = None

    def add(self, chunk: Any) -> bool:
        """Take one event."""
        kind = str(getattr(chunk, "type", ""))
        self._usage = getattr(chunk, "usage", None) or self._usage
        if kind == "transcript.text.delta":
            self._text.add(str(getattr(chunk, "delta", "")))
        return kind.endswith((".delta", ".partial_image"))

    def fields(self, *, content: bool) -> SpanFields:
        """Describe what came."""
        found = _usage(self._usage)
        if content and self._text:
            found[semconv.OUTPUT_MESSAGES] = written(str(self._text), _as_answer)
        return found


def _prompted(given: Mapping[str, Any], key: str, *, content: bool) -> SpanFields:
    found = parameters(given)
    told = given.get(key)
    if content and isinstance(told, str) and told:
        found[semconv.INPUT_MESSAGES] = written(told, _as_question)
    return found


def _usage(usage: Any) -> SpanFields:
    if usage is None:
        return {}
    # A transcript's details are called `input_token_details`, a picture's `input_tokens_details`.
    before = field(usage, "input_token_details") or field(usage, "input_tokens_details")
    found = counts(
        {
            semconv.USAGE_INPUT: field(usage, "input_tokens"),
            semconv.USAGE_OUTPUT: field(usage, "output_tokens"),
            "gen_ai.usage.audio.input_tokens": field(before, "audio_tokens"),
            "gen_ai.usage.image.input_tokens": field(before, "image_tokens"),
            "gen_ai.usage.image.output_tokens": inside(usage, "output_tokens_details", "image_tokens"),
        }
    )
    seconds = field(usage, "seconds")
    if isinstance(seconds, int | float):
        found[_SECONDS] = float(seconds)
    return found


def _as_question(text: str) -> list[Any]:
    return [{"role": "user", "parts": [{"type": "text", "content": text}]}]


def _as_answer(text: str) -> list[Any]:
    return [{"role": "assistant", "parts": [{"type": "text", "content": text}]}]


def _as_answers(texts: list[Any]) -> list[Any]:
    return [one for text in texts for one in _as_answer(text)]
