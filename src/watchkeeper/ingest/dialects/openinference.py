"""OpenInference, the dialect of Phoenix and its instrumentations."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from watchkeeper.ingest import bodies
from watchkeeper.ingest.draft import Draft
from watchkeeper.ingest.messages import content_of
from watchkeeper.ingest.read import indexed, integer, listed, loads, number, numbered, plain, strings, text, unpacked
from watchkeeper.model import (
    Attributes,
    AttributeValue,
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
_NOT_PARAMETERS = frozenset({"model", "model_name", "_type", "stream", "tools", "messages", "input"})
"""What some instrumentations leave among the parameters, and is told elsewhere."""
_FIRST_TOKEN = "First Token Stream Event"  # noqa: S105 - an event's name
_MISTRAL = "openinference.instrumentation.mistralai"
_LANGCHAIN = "openinference.instrumentation.langchain"
_ANSWERED = re.compile(r'"model_name": "([^"\\]+)"')
_COSTS = frozenset({"llm.cost.total", "llm.cost.prompt", "llm.cost.completion"})
_ERROR = 2
_NANO = 1_000_000_000
_JSON = "application/json"


class OpenInference:
    """`openinference.*`, `llm.*`, `input.value` and their like."""

    name = "openinference"
    heads = frozenset({"openinference", "llm", "input"})

    def speaks(self, raw: RawSpan) -> bool:
        """Say whether the span names its OpenInference kind, or is written in its keys."""
        found = raw.attributes
        return "openinference.span.kind" in found or "llm.model_name" in found or "input.value" in found

    def read(self, raw: RawSpan) -> Draft:
        """Read OpenInference's fields."""
        found = raw.attributes
        lists = indexed(found)
        kind = _KINDS.get((text(found.get("openinference.span.kind")) or "").upper())
        parameters = _parameters(found)
        model = text(found.get("llm.model_name")) or text(found.get("embedding.model_name"))
        model = model or text(found.get("reranker.model_name"))
        named = text(found.get("tool.name")) or (text(raw.name) if kind == "tool" else None)
        asked = text(found.get("llm.request.model_name")) or text(parameters.get("model"))
        draft = Draft(
            kind=kind,
            provider=text(found.get("llm.provider")) or text(found.get("llm.system")),
            request_model=asked or model,
            response_model=text(found.get("llm.response.model_name")) or model,
            usage=_usage(found),
            cost=_cost(found),
            time_to_first_token_ns=_first_token(raw),
            streaming=True if parameters.get("stream") is True else None,
            finish_reasons=strings(found["llm.finish_reason"]) if "llm.finish_reason" in found else (),
            # Some write every parameter, empty where the app said nothing.
            parameters={
                key: value
                for key, value in parameters.items()
                if key not in _NOT_PARAMETERS and value is not None and value != ""
            }
            if parameters
            else {},
            tools=_tools(lists),
            tool_name=named,
            agent_name=text(found.get("agent.name")),
            prompt_name=text(found.get("prompt.id")),
            prompt_version=text(found.get("llm.prompt_template.version")),
            tags=strings(found["tag.tags"]) if "tag.tags" in found else (),
        )
        if raw.scope.name == _MISTRAL:
            _mistral(draft, found)
        draft.input, draft.output = draft.input or _input(found, lists), draft.output or _output(found, lists)
        if raw.scope.name == _LANGCHAIN:
            _langchain(draft, raw)
        return draft


def _mistral(draft: Draft, found: Attributes) -> None:
    """Read what Mistral's instrumentation leaves in the bodies alone: tools, ids of calls, and what the cache held."""
    asked, answer = loads(found.get("input.value")), loads(found.get("output.value"))
    asked = asked if isinstance(asked, dict) else {}
    answer = answer.get("data", answer) if isinstance(answer, dict) else {}
    answer = answer if isinstance(answer, dict) else {}
    draft.provider = draft.provider or "mistral_ai"
    draft.input, draft.output = bodies.asked(asked), bodies.answered(answer)
    draft.tools = draft.tools or bodies.tools(asked)
    cached = bodies.used(answer.get("usage")).cache_read_tokens
    if cached is not None and draft.usage.cache_read_tokens is None:
        draft.usage = msgspec.structs.replace(draft.usage, cache_read_tokens=cached)


def _langchain(draft: Draft, raw: RawSpan) -> None:
    """Read what LangChain's own objects in output.value tell: a tool's result, and of a stream that it was one."""
    value = raw.attributes.get("output.value")
    if not isinstance(value, str):
        return
    if draft.kind == "tool":
        told = loads(value)
        data = told.get("data") if isinstance(told, dict) and told.get("type") == "tool" else None
        if isinstance(data, dict) and "content" in data:
            draft.output = content_of(plain(loads(data["content"])))
    elif '"ChatGenerationChunk"' in value:
        draft.streaming = True
        if (model := _ANSWERED.search(value)) is not None:
            draft.response_model = model[1]
    elif raw.status_code == _ERROR and draft.output is not None and not draft.output.messages:
        draft.output = None  # an empty answer with the error in it, which the status tells


def _parameters(found: Attributes) -> dict[str, Any]:
    told = found.get("llm.invocation_parameters", found.get("embedding.invocation_parameters"))
    told = None if told is None else unpacked(told)
    return told if isinstance(told, dict) else {}


def _usage(found: Attributes) -> Usage:
    def count(key: str) -> int | None:
        value = found.get(key)
        return None if value is None else integer(value)

    read = count("llm.token_count.prompt_details.cache_read")
    return Usage(
        input_tokens=count("llm.token_count.prompt"),
        output_tokens=count("llm.token_count.completion"),
        cache_read_tokens=read if read is not None else count("llm.token_count.prompt_details.cache_input"),
        cache_write_tokens=count("llm.token_count.prompt_details.cache_write"),
        reasoning_tokens=count("llm.token_count.completion_details.reasoning"),
        input_audio_tokens=count("llm.token_count.prompt_details.audio"),
        output_audio_tokens=count("llm.token_count.completion_details.audio"),
    )


def _cost(found: Attributes) -> Cost | None:
    """OpenInference's costs are US dollars."""
    if _COSTS.isdisjoint(found):
        return None
    total = _dollars(found.get("llm.cost.total"))
    sides = {
        name: _dollars(found.get(f"llm.cost.{side}")) for side, name in (("prompt", "input"), ("completion", "output"))
    }
    known = {name: value for name, value in sides.items() if value is not None}
    if total is None and not known:
        return None
    nano = total if total is not None else sum(known.values())
    # Parts that do not add up to the total say less than the total alone.
    detail = known if sum(known.values()) == nano else {}
    return Cost(state="provided", nano=nano, nano_usd=nano, source="the emitter (llm.cost)", detail=detail)


def _dollars(value: AttributeValue) -> int | None:
    found = None if value is None else number(value)
    return round(found * _NANO) if found is not None and 0 <= found < _NANO else None


def _first_token(raw: RawSpan) -> int | None:
    times = [event.time for event in raw.events if event.name == _FIRST_TOKEN] if raw.events else ()
    return max(0, min(times) - raw.start_time) if times else None


def _input(found: Attributes, lists: dict[str, Any]) -> Content | None:
    messages = _messages(lists.get("llm.input_messages"), "user")
    if not messages:
        prompts = listed(lists.get("llm.prompts"), "prompt")
        messages = tuple(Message(role="user", parts=(TextPart(one),)) for one in _texts(prompts))
    if messages:
        return Content(messages=messages)
    query = text(found.get("reranker.query"))
    if query is None and "embedding.embeddings" in lists:
        query = "\n".join(_texts(listed(lists["embedding.embeddings"], "embedding")))
    return content_of(query) or _value(found, "input")


def _output(found: Attributes, lists: dict[str, Any]) -> Content | None:
    messages = tuple([one for one in _messages(lists.get("llm.output_messages"), "assistant") if one.parts])
    if not messages:
        choices = listed(lists.get("llm.choices"), "completion")
        messages = tuple(Message(role="assistant", parts=(TextPart(one),)) for one in _texts(choices))
    if messages:
        return Content(messages=messages)
    documents = _documents(lists.get("retrieval.documents")) or _documents(lists.get("reranker.output_documents"))
    return Content(documents=documents) if documents else _value(found, "output")


def _texts(told: list[dict[str, Any]]) -> list[str]:
    return [one for item in told if (one := text(item.get("text")))]


def _value(found: Attributes, side: str) -> Content | None:
    value = found.get(f"{side}.value")
    mime = text(found.get(f"{side}.mime_type"))
    return content_of(plain(value), mime)


def _messages(tree: object, role: str) -> tuple[Message, ...]:
    return () if tree is None else tuple([_message(one, role) for one in listed(tree, "message")])


def _message(told: dict[str, Any], default_role: str) -> Message:
    role = text(told.get("role")) or default_role
    parts = _contents(told["contents"]) if "contents" in told else []
    plain_text = text(told.get("content"))
    call_id = text(told.get("tool_call_id"))
    if role == "tool" and call_id:
        parts.append(ToolResultPart(id=call_id, result=loads(plain_text)))
    elif plain_text:
        parts.append(TextPart(plain_text))
    # Anthropic's calls are told of among the contents, in their place, and here once more.
    if "tool_calls" in told and not any(isinstance(part, ToolCallPart) for part in parts):
        parts.extend(_call(one) for one in listed(told["tool_calls"], "tool_call"))
    return Message(role=role, parts=tuple(parts), name=text(told.get("name")))


def _contents(tree: object) -> list[Part]:
    parts: list[Part] = []
    for one in numbered(tree):
        call, content = one.get("tool_call"), one.get("message_content")
        if isinstance(call, dict):
            parts.append(_call(call))
        elif isinstance(content, dict):
            parts.append(_part(content))
    return parts


def _call(told: dict[str, Any]) -> ToolCallPart:
    function = told.get("function")
    function = function if isinstance(function, dict) else {}
    return ToolCallPart(
        id=text(told.get("id")),
        name=text(function.get("name")) or "",
        arguments=unpacked(function.get("arguments")),
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


def _documents(tree: object) -> tuple[Document, ...]:
    return tuple(
        Document(
            id=text(one.get("id")),
            content=text(one.get("content")),
            score=number(one.get("score")),
            metadata=plain(meta) if isinstance(meta := loads(one.get("metadata")), dict) else None,
        )
        for one in listed(tree, "document")
    )


def _tools(lists: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(unpacked(one.get("json_schema")) for one in listed(lists.get("llm.tools"), "tool"))
