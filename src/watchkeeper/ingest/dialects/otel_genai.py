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
    Message,
    RawSpan,
    SpanKind,
    TextPart,
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
_NS = 1_000_000_000


class OtelGenAI:
    """`gen_ai.*`."""

    name = "otel_genai"
    heads = frozenset({"gen_ai"})

    def speaks(self, raw: RawSpan) -> bool:  # noqa: ARG002 - the port gives it
        """Say whether any `gen_ai.` key is there: its head alone says so."""
        return True

    def read(self, raw: RawSpan) -> Draft:
        """Read the conventions' fields."""
        found = _with_details(raw)
        operation = text(found.get(semconv.OPERATION))
        documents = _documents(found.get("gen_ai.retrieval.documents"))
        given, answer = _messages(found)
        query = found.get("gen_ai.retrieval.query.text", found.get(semconv.TOOL_ARGUMENTS))
        return Draft(
            kind=_kind(operation, found),
            operation=operation,
            provider=text(found.get(semconv.PROVIDER)),
            request_model=text(found.get(semconv.REQUEST_MODEL)),
            response_model=text(found.get(semconv.RESPONSE_MODEL)),
            response_id=text(found.get(semconv.RESPONSE_ID)),
            usage=_usage(found),
            time_to_first_token_ns=_seconds(found.get(semconv.TIME_TO_FIRST_CHUNK)),
            streaming=_flag(found.get("gen_ai.request.stream")),
            finish_reasons=_reasons(found.get(semconv.FINISH_REASONS)),
            parameters=_parameters(found),
            input=_embedded(given) if operation == "embeddings" and given else _input(given, query),
            output=_output(answer, documents, found.get(semconv.TOOL_RESULT)),
            tools=_tools(found.get(semconv.TOOL_DEFINITIONS)),
            tool_name=text(found.get(semconv.TOOL_NAME)),
            agent_name=text(found.get(semconv.AGENT_NAME)),
            prompt_name=text(found.get("gen_ai.prompt.name")),
            prompt_version=text(found.get("gen_ai.prompt.version")),
            session_id=text(found.get(semconv.CONVERSATION_ID)),
            error_type=text(found.get(semconv.ERROR_TYPE)),
        )


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
_USAGE_FIELD = {key: name for name, keys in _USAGE.items() for key in keys}
_NO_USAGE = Usage()


def _usage(found: Attributes) -> Usage:
    told = {_USAGE_FIELD[key]: None for key in found.keys() & _USAGE_FIELD.keys()}
    if not told:
        return _NO_USAGE
    counts: dict[str, int] = {}
    for name in told:
        for key in _USAGE[name]:
            if (value := found.get(key)) is not None and (count := integer(value)) is not None:
                counts[name] = count
                break
    return Usage(**counts)


def _messages(found: Attributes) -> tuple[tuple[Message, ...], tuple[Message, ...]]:
    given = messages_of(found.get(semconv.INPUT_MESSAGES), "user")
    answer = messages_of(found.get(semconv.OUTPUT_MESSAGES), "assistant")
    system = messages_of([{"role": "system", "parts": parts}], "system") if (parts := _system(found)) else ()
    return (system + given if not any(one.role == "system" for one in given) else given), answer


def _input(given: tuple[Message, ...], query: AttributeValue) -> Content | None:
    return Content(messages=given) if given else content_of(plain(query))


def _embedded(given: tuple[Message, ...]) -> Content | None:
    """Return what was embedded: texts, which some write as if a user had said them."""
    return content_of("\n".join(part.text for one in given for part in one.parts if isinstance(part, TextPart)))


def _system(found: Attributes) -> Any:  # noqa: ANN401 - a list of parts or a text
    return loads(found.get(semconv.SYSTEM_INSTRUCTIONS))


def _reasons(value: AttributeValue) -> tuple[str, ...]:
    """Return the reasons. Some have the word of a message's reason where the conventions keep the provider's."""
    return tuple("tool_calls" if one == "tool_call" else one for one in strings(value))


def _output(answer: tuple[Message, ...], documents: tuple[Document, ...], result: AttributeValue) -> Content | None:
    if answer:
        return Content(messages=answer)
    return Content(documents=documents) if documents else content_of(plain(result))


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
    return tuple(plain(loads(one)) for one in found) if isinstance(found, list) else ()


def _parameters(found: Attributes) -> dict[str, Any]:
    start = len(semconv.REQUEST_PREFIX)
    told = {
        key[start:]: plain(value)
        for key, value in found.items()
        if key[:start] == semconv.REQUEST_PREFIX and key not in _NOT_PARAMETERS
    }
    # The tier that answered decides the price; the one that was asked for may have been "auto".
    tier = text(found.get("openai.response.service_tier")) or text(found.get("openai.request.service_tier"))
    return {**told, "service_tier": tier} if tier else told


def _seconds(value: AttributeValue) -> int | None:
    seconds = number(value)
    return round(seconds * _NS) if seconds is not None and 0 <= seconds < 1e6 else None  # noqa: PLR2004 - eleven days


def _flag(value: AttributeValue) -> bool | None:
    return value if isinstance(value, bool) else None
