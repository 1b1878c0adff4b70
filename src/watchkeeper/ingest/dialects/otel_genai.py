"""OpenTelemetry's GenAI conventions as of 2026-11: attributes, and content in joined log records."""

from __future__ import annotations

from typing import Any

from watchkeeper.ingest.draft import Draft
from watchkeeper.ingest.messages import content_of, messages_of
from watchkeeper.ingest.read import integer, loads, number, plain, strings, text
from watchkeeper.model import (
    Attributes,
    AttributeValue,
    Content,
    Document,
    RawSpan,
    SpanKind,
    Usage,
    semconv,
)

__all__ = ["OtelGenAI"]

_KINDS: dict[str, SpanKind] = {
    "chat": "llm", "generate_content": "llm", "text_completion": "llm", "fetch_response": "llm",
    "embeddings": "embedding", "retrieval": "retriever", "rerank": "reranker", "execute_tool": "tool",
    "create_agent": "agent", "invoke_agent": "agent", "plan": "agent", "invoke_workflow": "workflow",
}  # fmt: skip
_DETAILS = "gen_ai.client.inference.operation.details"
_NOT_PARAMETERS = frozenset({"gen_ai.request.model", "gen_ai.request.stream"})
_NAMES_MAX = 20_000  # keys are strangers' data; the table that remembers them is emptied when it is full
_NS = 1_000_000_000


class OtelGenAI:
    """`gen_ai.*`."""

    name = "otel_genai"
    heads = frozenset({"gen_ai"})

    def speaks(self, raw: RawSpan) -> bool:
        """Say whether any `gen_ai.` key is there, as its head says, and not in Gemini CLI's use of them."""
        return raw.scope.name != "gemini-cli"

    def read(self, raw: RawSpan) -> Draft:
        """Read the conventions' fields."""
        found = _with_details(raw) if raw.logs else raw.attributes
        get = found.get
        operation = text(get(semconv.OPERATION))
        draft = Draft(
            kind=_kind(operation, found),
            operation=operation,
            provider=text(get(semconv.PROVIDER)),
            request_model=text(get(semconv.REQUEST_MODEL)),
            response_model=text(get(semconv.RESPONSE_MODEL)),
            response_id=text(get(semconv.RESPONSE_ID)),
            usage=_usage(found),
            parameters=_parameters(found),
            tool_name=text(get(semconv.TOOL_NAME)),
            agent_name=text(get(semconv.AGENT_NAME)),
            prompt_name=text(get("gen_ai.prompt.name")),
            prompt_version=text(get("gen_ai.prompt.version")),
            session_id=text(get(semconv.CONVERSATION_ID)),
            error_type=text(get(semconv.ERROR_TYPE)),
        )
        if (reasons := get(semconv.FINISH_REASONS)) is not None:
            draft.finish_reasons = _reasons(reasons)
        if (tools := get(semconv.TOOL_DEFINITIONS)) is not None:
            draft.tools = _tools(tools)
        if (seconds := get(semconv.TIME_TO_FIRST_CHUNK)) is not None:
            draft.time_to_first_token_ns = _seconds(seconds)
        if isinstance(streaming := get("gen_ai.request.stream"), bool):
            draft.streaming = streaming
        draft.input, draft.output = _content(found)
        return draft


def _with_details(raw: RawSpan) -> Attributes:
    found = raw.attributes
    own = text(found.get(semconv.OPERATION)) if raw.logs else None
    for log in raw.logs:
        # Some are logged inside a span that is not the call's own: an app's around it, when a stream has ended.
        if log.event_name == _DETAILS and text(log.attributes.get(semconv.OPERATION)) in {None, own}:
            found = {**log.attributes, **found}
    return found


def _kind(operation: str | None, found: Attributes) -> SpanKind | None:
    if operation in _KINDS:
        return _KINDS[operation]
    return "tool" if semconv.TOOL_NAME in found else None


_USAGE: dict[str, tuple[str, ...]] = {
    "input_tokens": (semconv.USAGE_INPUT,),
    "output_tokens": (semconv.USAGE_OUTPUT,),
    "cache_read_tokens": (semconv.USAGE_CACHE_READ,),
    "cache_write_tokens": (semconv.USAGE_CACHE_WRITE, "gen_ai.usage.cache_creation.input_tokens"),
    "reasoning_tokens": (semconv.USAGE_REASONING,),
    "input_audio_tokens": ("gen_ai.usage.audio.input_tokens",),
    "output_audio_tokens": ("gen_ai.usage.audio.output_tokens",),
    "input_image_tokens": ("gen_ai.usage.image.input_tokens",),
}
_NO_USAGE = Usage()


def _usage(found: Attributes) -> Usage:
    counts: dict[str, int] = {}
    for name, keys in _USAGE.items():
        for key in keys:
            if (value := found.get(key)) is not None and (count := integer(value)) is not None:
                counts[name] = count
                break
    return Usage(**counts) if counts else _NO_USAGE


def _content(found: Attributes) -> tuple[Content | None, Content | None]:
    """Read the conversation, else what a tool or a search was given and gave."""
    given = messages_of(found[semconv.INPUT_MESSAGES], "user") if semconv.INPUT_MESSAGES in found else ()
    answer = messages_of(found[semconv.OUTPUT_MESSAGES], "assistant") if semconv.OUTPUT_MESSAGES in found else ()
    if (parts := loads(found.get(semconv.SYSTEM_INSTRUCTIONS))) and not any(one.role == "system" for one in given):
        given = messages_of([{"role": "system", "parts": parts}], "system") + given
    return (
        Content(messages=given) if given else _other(found, "gen_ai.retrieval.query.text", semconv.TOOL_ARGUMENTS),
        Content(messages=answer) if answer else _found(found) or _other(found, semconv.TOOL_RESULT),
    )


def _other(found: Attributes, *keys: str) -> Content | None:
    for key in keys:
        if (value := found.get(key)) is not None:
            return content_of(plain(value))
    return None


def _found(found: Attributes) -> Content | None:
    documents = _documents(value) if (value := found.get("gen_ai.retrieval.documents")) is not None else ()
    return Content(documents=documents) if documents else None


def _reasons(value: AttributeValue) -> tuple[str, ...]:
    """Return the reasons. Some have the word of a message's reason where the conventions keep the provider's."""
    return tuple("tool_calls" if one == "tool_call" else one for one in strings(value))


def _documents(value: AttributeValue) -> tuple[Document, ...]:
    found = loads(value)
    if not isinstance(found, list):
        return ()
    return tuple(
        Document(
            id=text(one.get("id")),
            content=text(one.get("content") or one.get("text")),
            score=number(one.get("score")),
            metadata=plain(one["metadata"]) if isinstance(one.get("metadata"), dict) else None,
        )
        for one in map(loads, found)
        if isinstance(one, dict)
    )


def _tools(value: AttributeValue) -> tuple[Any, ...]:
    found = loads(value)
    if not isinstance(found, list):
        return ()
    # JSON's own values need no copying.
    return tuple(map(loads, found)) if isinstance(value, str) else tuple(plain(loads(one)) for one in found)


class _Names(dict[str, str]):
    """What an attribute says of the request, by its key: the parameter's name, "" of one that is none."""

    def __missing__(self, key: str) -> str:
        is_one = key.startswith(semconv.REQUEST_PREFIX) and key not in _NOT_PARAMETERS
        if len(self) >= _NAMES_MAX:
            self.clear()
        found = self[key] = key[len(semconv.REQUEST_PREFIX) :] if is_one else ""
        return found


_names = _Names()


def _parameters(found: Attributes) -> dict[str, Any]:
    told = {name: plain(value) for key, value in found.items() if (name := _names[key])}
    # The tier that answered decides the price; the one that was asked for may have been "auto".
    tier = text(found.get("openai.response.service_tier")) or text(found.get("openai.request.service_tier"))
    return {**told, "service_tier": tier} if tier else told


def _seconds(value: AttributeValue) -> int | None:
    seconds = number(value)
    return round(seconds * _NS) if seconds is not None and 0 <= seconds < 1e6 else None  # noqa: PLR2004 - eleven days
