"""OpenInference, the dialect of Phoenix and its instrumentations."""

from __future__ import annotations

from typing import Any

from watchkeeper.ingest.draft import Draft
from watchkeeper.ingest.messages import content_of
from watchkeeper.ingest.read import integer, loads, nested, number, plain, strings, text
from watchkeeper.model import (
    Attributes,
    Content,
    Cost,
    Document,
    MediaPart,
    Message,
    OtherPart,
    Part,
    RawSpan,
    ReasoningPart,
    SpanKind,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    Usage,
)

__all__ = ["OpenInference"]

_KINDS: dict[str, SpanKind] = {
    "LLM": "llm", "CHAIN": "workflow", "TOOL": "tool", "AGENT": "agent", "RETRIEVER": "retriever",
    "EMBEDDING": "embedding", "RERANKER": "reranker", "GUARDRAIL": "guardrail", "EVALUATOR": "evaluator",
    "PROMPT": "span", "DECISION": "span",
}  # fmt: skip
_FIRST_TOKEN = "First Token Stream Event"  # noqa: S105 - an event's name
_NANO = 1_000_000_000
_JSON = "application/json"


class OpenInference:
    """`openinference.*`, `llm.*`, `input.value` and their like."""

    name = "openinference"

    def speaks(self, raw: RawSpan) -> bool:
        """Say whether the span names its OpenInference kind, or is written in its keys."""
        found = raw.attributes
        return "openinference.span.kind" in found or "llm.model_name" in found or "input.value" in found

    def read(self, raw: RawSpan) -> Draft:
        """Read OpenInference's fields."""
        found = raw.attributes
        kind = _KINDS.get((text(found.get("openinference.span.kind")) or "").upper())
        parameters = _parameters(found)
        model = text(found.get("llm.model_name")) or text(found.get("embedding.model_name"))
        model = model or text(found.get("reranker.model_name"))
        asked = text(found.get("llm.request.model_name")) or text(parameters.get("model"))
        return Draft(
            kind=kind,
            provider=text(found.get("llm.provider")) or text(found.get("llm.system")),
            request_model=asked or model,
            response_model=text(found.get("llm.response.model_name")) or model,
            usage=_usage(found),
            cost=_cost(found),
            time_to_first_token_ns=_first_token(raw),
            streaming=True if parameters.get("stream") is True else None,
            finish_reasons=strings(found.get("llm.finish_reason")),
            parameters={key: value for key, value in parameters.items() if key not in {"model", "stream"}},
            input=_input(found),
            output=_output(found),
            tools=_tools(found),
            tool_name=text(found.get("tool.name")),
            agent_name=text(found.get("agent.name")),
            prompt_name=text(found.get("prompt.id")),
            prompt_version=text(found.get("llm.prompt_template.version")),
            tags=strings(found.get("tag.tags")),
        )


def _parameters(found: Attributes) -> dict[str, Any]:
    told = loads(found.get("llm.invocation_parameters", found.get("embedding.invocation_parameters")))
    return {str(key): plain(value) for key, value in told.items()} if isinstance(told, dict) else {}


def _usage(found: Attributes) -> Usage:
    def count(key: str) -> int | None:
        return integer(found.get(f"llm.token_count.{key}"))

    read = count("prompt_details.cache_read")
    return Usage(
        input_tokens=count("prompt"),
        output_tokens=count("completion"),
        cache_read_tokens=read if read is not None else count("prompt_details.cache_input"),
        cache_write_tokens=count("prompt_details.cache_write"),
        reasoning_tokens=count("completion_details.reasoning"),
        input_audio_tokens=count("prompt_details.audio"),
        output_audio_tokens=count("completion_details.audio"),
    )


def _cost(found: Attributes) -> Cost | None:
    """OpenInference's costs are US dollars."""
    total = number(found.get("llm.cost.total"))
    sides = {side: number(found.get(f"llm.cost.{side}")) for side in ("prompt", "completion")}
    known = {side: round(value * _NANO) for side, value in sides.items() if value is not None}
    if total is None and not known:
        return None
    nano = round(total * _NANO) if total is not None else sum(known.values())
    named = {"prompt": "input", "completion": "output"}
    detail = {named[side]: value for side, value in known.items()} if sum(known.values()) == nano else {}
    return Cost(state="provided", nano=nano, nano_usd=nano, source="the emitter (llm.cost)", detail=detail)


def _first_token(raw: RawSpan) -> int | None:
    times = [event.time for event in raw.events if event.name == _FIRST_TOKEN]
    return max(0, min(times) - raw.start_time) if times else None


def _input(found: Attributes) -> Content | None:
    messages = _messages(found, "llm.input_messages.", "user")
    if not messages:
        prompts = nested(found, "llm.prompts.")
        if isinstance(prompts, list):
            texts = [text(one.get("prompt", {}).get("text")) for one in prompts if isinstance(one, dict)]
            messages = tuple(Message(role="user", parts=(TextPart(one),)) for one in texts if one)
    if messages:
        return Content(messages=messages)
    query = text(found.get("reranker.query"))
    return content_of(query) or _value(found, "input") or _embedded(found)


def _output(found: Attributes) -> Content | None:
    messages = _messages(found, "llm.output_messages.", "assistant")
    if messages:
        return Content(messages=messages)
    documents = _documents(found, "retrieval.documents.") or _documents(found, "reranker.output_documents.")
    return Content(documents=documents) if documents else _value(found, "output")


def _embedded(found: Attributes) -> Content | None:
    vectors = nested(found, "embedding.embeddings.")
    if not isinstance(vectors, list):
        return None
    inner = [one.get("embedding") for one in vectors if isinstance(one, dict)]
    texts = [text(one.get("text")) for one in inner if isinstance(one, dict)]
    return content_of("\n".join(one for one in texts if one))


def _value(found: Attributes, side: str) -> Content | None:
    value = found.get(f"{side}.value")
    mime = text(found.get(f"{side}.mime_type"))
    return content_of(plain(value), mime)


def _messages(found: Attributes, prefix: str, role: str) -> tuple[Message, ...]:
    told = nested(found, prefix)
    if not isinstance(told, list):
        return ()
    return tuple(
        _message(one["message"], role) for one in told if isinstance(one, dict) and isinstance(one.get("message"), dict)
    )


def _message(told: dict[str, Any], default_role: str) -> Message:
    role = text(told.get("role")) or default_role
    parts: list[Part] = []
    contents = told.get("contents")
    if isinstance(contents, list):
        inner = [one.get("message_content") for one in contents if isinstance(one, dict)]
        parts.extend(_part(one) for one in inner if isinstance(one, dict))
    plain_text = text(told.get("content"))
    call_id = text(told.get("tool_call_id"))
    if role == "tool" and call_id:
        parts.append(ToolResultPart(id=call_id, result=loads(plain_text)))
    elif plain_text:
        parts.append(TextPart(plain_text))
    calls = told.get("tool_calls")
    if isinstance(calls, list):
        inner = [one.get("tool_call") for one in calls if isinstance(one, dict)]
        parts.extend(_call(one) for one in inner if isinstance(one, dict))
    return Message(role=role, parts=tuple(parts), name=text(told.get("name")))


def _call(told: dict[str, Any]) -> ToolCallPart:
    function = told.get("function")
    function = function if isinstance(function, dict) else {}
    return ToolCallPart(
        id=text(told.get("id")),
        name=text(function.get("name")) or "",
        arguments=plain(loads(function.get("arguments"))),
    )


def _part(told: dict[str, Any]) -> Part:
    kind = text(told.get("type")) or "text"
    if kind == "text":
        return TextPart(text(told.get("text")) or "")
    if kind in {"reasoning", "thinking"}:
        return ReasoningPart(text(told.get("text")) or "")
    if kind in {"image", "audio", "document"}:
        inner = told.get(kind)
        while isinstance(inner, dict) and isinstance(inner.get(kind), dict):
            inner = inner[kind]
        inner = inner if isinstance(inner, dict) else {}
        return MediaPart(modality=kind, uri=text(inner.get("url")), mime_type=text(inner.get("mime_type")))
    return OtherPart(kind=kind, value=plain(told))


def _documents(found: Attributes, prefix: str) -> tuple[Document, ...]:
    told = nested(found, prefix)
    if not isinstance(told, list):
        return ()
    inner = [one.get("document") for one in told if isinstance(one, dict)]
    return tuple(
        Document(
            id=text(one.get("id")),
            content=text(one.get("content")),
            score=number(one.get("score")),
            metadata=plain(meta) if isinstance(meta := loads(one.get("metadata")), dict) else None,
        )
        for one in inner
        if isinstance(one, dict)
    )


def _tools(found: Attributes) -> tuple[Any, ...]:
    told = nested(found, "llm.tools.")
    if not isinstance(told, list):
        return ()
    inner = [one.get("tool") for one in told if isinstance(one, dict)]
    return tuple(plain(loads(one.get("json_schema"))) for one in inner if isinstance(one, dict))
