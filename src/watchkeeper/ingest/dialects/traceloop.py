"""OpenLLMetry, by Traceloop: entities, association properties, vector stores, and what it says beside `gen_ai.*`.

Its messages are the conventions', today's or `gen_ai.prompt.N`, which their own dialects read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from watchkeeper.ingest.draft import Draft
from watchkeeper.ingest.messages import content_of
from watchkeeper.ingest.read import integer, loads, number, plain, strings, text
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
_STREAMING = ("gen_ai.is_streaming", "llm.is_streaming")
_MARKS = frozenset({
    "traceloop.span.kind", "traceloop.entity.name", "traceloop.workflow.name", "llm.request.type", "gen_ai.usage.total_tokens",
    "llm.usage.total_tokens", "traceloop.prompt.key", _TAGS, *_SESSION, *_USER, *_STREAMING, *_PARAMETERS,
})  # fmt: skip
_REASONED = "llm.usage.reasoning_tokens"
_NO_USAGE = Usage()
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
        documents = tuple(_document(one) for one in raw.events if one.name in _FOUND) if raw.events else ()
        kind = _kind(found) or ("retriever" if documents else None)
        entity = text(found.get("traceloop.entity.name"))
        streaming = _first(found, _STREAMING)
        return Draft(
            kind=kind,
            time_to_first_token_ns=_first_chunk(raw) if raw.events else None,
            streaming=streaming if isinstance(streaming, bool) else None,
            usage=_NO_USAGE if (count := integer(found.get(_REASONED))) is None else Usage(reasoning_tokens=count),
            parameters={
                _PARAMETERS[key]: plain(value)
                for key in found.keys() & _PARAMETERS.keys()
                if (value := found[key]) != []
            },
            input=_given(found),
            output=Content(documents=documents) if documents else content_of(_entity(found, "output")),
            tools=tuple(_tools(found)) if "llm.request.functions.0.name" in found else (),
            tool_name=entity if kind == "tool" else None,
            agent_name=entity if kind == "agent" else None,
            prompt_name=text(found.get("traceloop.prompt.key")),
            prompt_version=text(found.get("traceloop.prompt.version")),
            session_id=text(_first(found, _SESSION)),
            user_id=text(_first(found, _USER)),
            tags=strings(found[_TAGS]) if _TAGS in found else (),
        )


def _kind(found: Attributes) -> SpanKind | None:
    if (told := found.get("traceloop.span.kind")) is not None:
        return _KINDS.get(text(told) or "")
    if (told := found.get("llm.request.type")) is not None:
        return _REQUESTS.get(text(told) or "")
    return _OPERATIONS.get(text(found.get(semconv.OPERATION)) or "")


def _first(found: Attributes, keys: tuple[str, ...]) -> Any:  # noqa: ANN401 - what an attribute holds
    return next((found[key] for key in keys if key in found), None)


def _first_chunk(raw: RawSpan) -> int | None:
    """Return when the first chunk came; each one is an event."""
    times = [one.time for one in raw.events if one.name in _CHUNK]
    return max(0, min(times) - raw.start_time) if times else None


def _entity(found: Attributes, side: str) -> Any:  # noqa: ANN401 - any JSON
    told = found.get(f"traceloop.entity.{side}")
    return None if told is None else plain(loads(told))


def _given(found: Attributes) -> Content | None:
    """Read what a decorated function was given: its one argument, or all by their names."""
    told = _entity(found, "input")
    if isinstance(told, dict) and told.keys() == {"args", "kwargs"}:
        args, named = told["args"], told["kwargs"]
        if not args:
            told = named
        elif not named:
            told = args[0] if isinstance(args, list) and len(args) == 1 else args
    return content_of(told)


def _tools(found: Attributes) -> Iterator[dict[str, Any]]:
    for place in range(_TOOLS_MAX):
        start = f"llm.request.functions.{place}."
        if (name := text(found.get(f"{start}name"))) is None:
            return
        told = {key: found.get(f"{start}{key}") for key in ("description", "parameters")}
        yield {"type": "function", "name": name} | {
            key: plain(loads(one)) for key, one in told.items() if one is not None
        }


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
