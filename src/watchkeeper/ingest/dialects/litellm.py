"""LiteLLM: what the spans of its OpenTelemetry callback, in both generations, say beside `gen_ai.*`.

The tools and the user are written as OpenLLMetry writes them, and are read there.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from watchkeeper.ingest.draft import Draft
from watchkeeper.ingest.messages import messages_of
from watchkeeper.ingest.read import integer, loads, number, plain, text
from watchkeeper.model import (
    Attributes,
    AttributeValue,
    Content,
    Cost,
    Message,
    RawSpan,
    SpanKind,
    ToolCallPart,
    Usage,
    semconv,
)

__all__ = ["LiteLLM"]


class _Operation(NamedTuple):
    name: str
    kind: SpanKind


_OPERATIONS = {
    "completion": _Operation("chat", "llm"), "text_completion": _Operation("text_completion", "llm"),
    "responses": _Operation("chat", "llm"), "anthropic_messages": _Operation("chat", "llm"),
    "generate_content": _Operation("generate_content", "llm"), "embedding": _Operation("embeddings", "embedding"),
    "rerank": _Operation("rerank", "reranker"), "moderation": _Operation("moderation", "guardrail"),
    "image_generation": _Operation("generate_content", "llm"), "transcription": _Operation("transcription", "llm"),
    "speech": _Operation("speech", "llm"), "call_mcp_tool": _Operation("execute_tool", "tool"),
}  # fmt: skip
"""LiteLLM's names of calls; those made without waiting have an `a` before them."""
_COUNT = re.compile(r"'(cached_tokens|reasoning_tokens|cache_creation_input_tokens|cache_read_input_tokens)': (\d+)")
_FIELDS = {
    "cached_tokens": "cache_read_tokens", "cache_read_input_tokens": "cache_read_tokens",
    "cache_creation_input_tokens": "cache_write_tokens", "reasoning_tokens": "reasoning_tokens",
}  # fmt: skip
_CALLED = "gen_ai.completion.0.function_call.name"
_NO_USAGE = Usage()
_NS, _DEAREST = 1_000_000_000, 1e9


class LiteLLM:
    """`litellm.*`, `gen_ai.cost.*` and `metadata.usage_object`."""

    name = "litellm"
    heads = frozenset({"litellm", "llm"})

    def speaks(self, raw: RawSpan) -> bool:
        """Say whether LiteLLM's id of the call is there: it writes into an app's span too, if there is one."""
        return "litellm.call_id" in raw.attributes or "litellm.guardrail.name" in raw.attributes

    def read(self, raw: RawSpan) -> Draft:
        """Read what LiteLLM adds."""
        found = raw.attributes
        if "litellm.guardrail.name" in found:
            return Draft(kind="guardrail")
        told = text(found.get("llm.request.type")) or text(found.get("litellm.call_type")) or ""
        what = _OPERATIONS.get(told) or _OPERATIONS.get(told.removeprefix("a"))
        given, answer = _messages(found)
        return Draft(
            kind=what.kind if what else None,
            operation=what.name if what else None,
            usage=_usage(found),
            cost=_cost(found),
            streaming=_flag(found.get("llm.is_streaming", found.get("litellm.request.streaming"))),
            input=given,
            output=answer,
            user_id=text(found.get("litellm.end_user.id")),
        )


def _usage(found: Attributes) -> Usage:
    """Return the counts that are only in the provider's answer, written as Python writes a dictionary."""
    told = found.get("metadata.usage_object")
    if not isinstance(told, str):
        return _NO_USAGE
    return Usage(**{_FIELDS[name]: integer(count) for name, count in _COUNT.findall(told)})


def _cost(found: Attributes) -> Cost | None:
    """Return LiteLLM's price in US dollars; 0 is what it says of a model that its list lacks."""
    start, end = ("litellm.cost.", "") if "litellm.cost.total" in found else ("gen_ai.cost.", "_cost")
    total = _nano(found.get(f"{start}total{end}"))
    if not total:
        return None
    sides = {name: _nano(found.get(f"{start}{name}{end}")) or 0 for name in ("input", "output")}
    # Parts that do not add up to the total, for example before a discount, say less than the total alone.
    detail = sides if sum(sides.values()) == total else {}
    return Cost(state="provided", nano=total, nano_usd=total, source=f"the emitter ({start}total{end})", detail=detail)


def _nano(value: AttributeValue) -> int | None:
    dollars = None if value is None else number(value)
    return round(dollars * _NS) if dollars is not None and 0 <= dollars < _DEAREST else None


def _flag(value: AttributeValue) -> bool | None:
    return {"True": True, "False": False}.get(value) if isinstance(value, str) else value if value is True else None


def _messages(found: Attributes) -> tuple[Content | None, Content | None]:
    """Read the conversation where the answer calls for a tool: the call is told of apart, without its id."""
    if _CALLED not in found:
        return None, None
    given = messages_of(found.get(semconv.INPUT_MESSAGES), "user")
    said = messages_of(found.get(semconv.OUTPUT_MESSAGES), "assistant")
    if any(isinstance(part, ToolCallPart) for one in said for part in one.parts):
        return None, None
    calls: list[ToolCallPart] = []
    while (name := text(found.get(f"gen_ai.completion.{len(calls)}.function_call.name"))) is not None:
        arguments = found.get(f"gen_ai.completion.{len(calls)}.function_call.arguments")
        calls.append(ToolCallPart(id=None, name=name, arguments=plain(loads(arguments))))
    first = said[0] if said else Message(role="assistant", parts=())
    answer = Message(role=first.role, parts=(*first.parts, *calls), finish_reason=first.finish_reason)
    return Content(messages=given) if given else None, Content(messages=(answer, *said[1:]))
