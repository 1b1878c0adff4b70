"""OpenLLMetry, by Traceloop: entities, association properties, vector stores, and what it says beside `gen_ai.*`.

Its messages are the conventions', today's or `gen_ai.prompt.N`, which their own dialects read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from watchkeeper.ingest.draft import Draft
from watchkeeper.ingest.messages import arguments_of, content_of
from watchkeeper.ingest.read import integer, loads, number, plain, strings, text, unpacked
from watchkeeper.model import Attributes, Content, Document, RawEvent, RawSpan, SpanKind, Usage, semconv

__all__ = ["Traceloop"]

_KINDS: dict[str, SpanKind] = {"workflow": "workflow", "task": "workflow", "agent": "agent", "tool": "tool"}
_REQUESTS: dict[str, SpanKind] = {"chat": "llm", "completion": "llm", "embedding": "embedding", "rerank": "reranker"}
_OPERATIONS: dict[str, SpanKind] = {
    "execute_task": "workflow", "llm_request": "llm", "vector_db_retrieve": "retriever",
}  # fmt: skip
_PARAMETERS = {
    "llm.top_k": "top_k", "llm.frequency_penalty": "frequency_penalty", "llm.presence_penalty": "presence_penalty",
    "llm.chat.stop_sequences": "stop_sequences", "llm.request.repetition_penalty": "repetition_penalty",
    "llm.request.reasoning_effort": "reasoning_effort",
}  # fmt: skip
_ASSOCIATED = "traceloop.association.properties."
_SESSION = tuple(f"{_ASSOCIATED}{name}" for name in ("session_id", "thread_id", "conversation_id", "chat_id"))
_USER = (f"{_ASSOCIATED}user_id", "gen_ai.user", "llm.user")
_TAGS = f"{_ASSOCIATED}tags"
_REASONED = ("gen_ai.usage.reasoning_tokens", "llm.usage.reasoning_tokens")
_NOTHING: tuple[Any, ...] = (None, [], "")
_MARKS = frozenset({
    "traceloop.span.kind", "traceloop.entity.name", "traceloop.workflow.name", "traceloop.prompt.key", _TAGS,
    "llm.request.type", "llm.usage.total_tokens", "gen_ai.usage.total_tokens", "llm.is_streaming", "gen_ai.is_streaming",
    *_SESSION, *_USER, *_PARAMETERS, *_REASONED,
})  # fmt: skip
_CHUNK = frozenset({"gen_ai.content.completion.chunk", "llm.content.completion.chunk"})
_FOUND = frozenset({"db.query.result", "db.search.result"})
_DOCUMENTS = ("document", "entity", "text")
_TOOLS_MAX = 128


class Traceloop:
    """`traceloop.*`, `llm.*` as it was before 2026, and `db.*` of its vector stores."""

    name = "traceloop"
    heads = frozenset({"traceloop", "llm", "gen_ai", "db"})

    def speaks(self, raw: RawSpan) -> bool:
        """Say whether one of its own keys is there, or one of its events."""
        if not _MARKS.isdisjoint(raw.attributes):
            return True
        return any(one.name in _FOUND or one.name in _CHUNK for one in raw.events)

    def read(self, raw: RawSpan) -> Draft:
        """Read them."""
        found = raw.attributes
        draft = Draft()
        if (told := found.get("traceloop.span.kind")) is not None:
            _entity(found, text(told) or "", draft)
        else:
            _call(found, draft)
        if raw.events:
            _events(raw, draft)
        if "traceloop.prompt.key" in found:
            draft.prompt_name = text(found["traceloop.prompt.key"])
            draft.prompt_version = text(found.get("traceloop.prompt.version"))
        draft.session_id, draft.user_id = _first(found, _SESSION), _first(found, _USER)
        if _TAGS in found:
            draft.tags = strings(found[_TAGS])
        return draft


def _entity(found: Attributes, kind: str, draft: Draft) -> None:
    """Read a function that was decorated, or a step of a framework."""
    draft.kind = _KINDS.get(kind)
    entity = text(found.get("traceloop.entity.name"))
    if kind == "tool":
        draft.tool_name = entity
    elif kind == "agent":
        draft.agent_name = entity
    draft.input = arguments_of(loads(found.get("traceloop.entity.input")))
    draft.output = content_of(loads(found.get("traceloop.entity.output")))


def _call(found: Attributes, draft: Draft) -> None:
    """Read a call of a model or of a store."""
    if (told := found.get("llm.request.type")) is not None:
        draft.kind = _REQUESTS.get(text(told) or "")
    elif semconv.OPERATION in found:
        draft.kind = _OPERATIONS.get(text(found[semconv.OPERATION]) or "")
    streaming = found.get("gen_ai.is_streaming", found.get("llm.is_streaming"))
    draft.streaming = streaming if isinstance(streaming, bool) else None
    for key in _REASONED:
        if key in found and (count := integer(found[key])) is not None:
            draft.usage = Usage(reasoning_tokens=count)
    if not _PARAMETERS.keys().isdisjoint(found):
        draft.parameters = {
            name: plain(found[key]) for key, name in _PARAMETERS.items() if found.get(key) not in _NOTHING
        }
    if "llm.request.functions.0.name" in found:
        draft.tools = tuple(_tools(found))


def _first(found: Attributes, keys: tuple[str, ...]) -> str | None:
    for key in keys:
        if key in found:
            return text(found[key])
    return None


def _events(raw: RawSpan, draft: Draft) -> None:
    """Read when the first chunk came, each of which is an event, and what a store found."""
    times = [one.time for one in raw.events if one.name in _CHUNK]
    if times:
        draft.time_to_first_token_ns = max(0, min(times) - raw.start_time)
    elif documents := tuple(_document(one) for one in raw.events if one.name in _FOUND):
        draft.kind, draft.output = draft.kind or "retriever", Content(documents=documents)


def _tools(found: Attributes) -> Iterator[dict[str, Any]]:
    for place in range(_TOOLS_MAX):
        start = f"llm.request.functions.{place}."
        if (name := text(found.get(f"{start}name"))) is None:
            return
        told = {key: found.get(f"{start}{key}") for key in ("description", "parameters")}
        yield {"type": "function", "name": name} | {key: unpacked(one) for key, one in told.items() if one is not None}


def _document(event: RawEvent) -> Document:
    start = f"{event.name}."
    told = {key.removeprefix(start): value for key, value in event.attributes.items()}
    metadata = loads(told.get("metadata"))
    kept = plain(metadata) if isinstance(metadata, dict) else {}
    # A distance is no score: the less, the nearer.
    far = number(told.get("distance"))
    return Document(
        id=text(told.get("id")),
        content=next((one for name in _DOCUMENTS if (one := text(told.get(name)))), None),
        score=number(told.get("score")),
        metadata=kept | ({} if far is None else {"distance": far}) or None,
    )
