"""Spans of a session as Langfuse tells of it. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from watchkeeper.model import Content, Message, Span, TextPart
from watchkeeper.server.jsonable import jsonable
from watchkeeper.server.langfuse.sessions.schemas import SessionWithTraces, TraceOut

__all__ = ["NO_ENVIRONMENT", "session_of"]

NO_ENVIRONMENT = "default"
"""What they call the environment of a client that names none."""

_METADATA = "langfuse.trace.metadata."


def session_of(project: str, name: str, spans: Iterable[Span]) -> SessionWithTraces | None:
    """Build a session of all its spans; None where there are none."""
    traces: dict[str, list[Span]] = {}
    for span in spans:
        traces.setdefault(span.trace_id, []).append(span)
    if not traces:
        return None
    shaped = sorted((_trace(some) for some in traces.values()), key=lambda one: (one[0], one[1].id))
    everything = sorted((span for some in traces.values() for span in some), key=lambda one: one.start_time)
    environment = next((span.environment for span in everything if span.environment), NO_ENVIRONMENT)
    return SessionWithTraces(
        id=name, created_at=everything[0].start_time, project_id=project, environment=environment,  # type: ignore[arg-type]
        traces=[trace for _, trace in shaped],
    )  # fmt: skip


def _trace(spans: list[Span]) -> tuple[int, TraceOut]:
    start = min(span.start_time for span in spans)
    entry = min(spans, key=lambda one: (one.parent_span_id is not None, one.start_time, one.span_id))
    told = entry.raw.attributes
    name, version = told.get("langfuse.trace.name"), told.get("langfuse.version")
    return start, TraceOut(
        id=entry.trace_id, timestamp=start, name=name if isinstance(name, str) else entry.name,  # type: ignore[arg-type]
        input=_content(entry.input), output=_content(entry.output), session_id=entry.session_id, user_id=entry.user_id,
        release=entry.release, version=version if isinstance(version, str) else None,
        metadata={
            key.removeprefix(_METADATA): _parsed(value) if isinstance(value, str) else jsonable(value)
            for key, value in told.items() if key.startswith(_METADATA)
        },
        tags=list(entry.tags), environment=entry.environment or NO_ENVIRONMENT,
    )  # fmt: skip


def _content(content: Content | None) -> Any:  # noqa: ANN401 - JSON is any shape
    """Return a conversation as a list of turns, anything else as it was given."""
    if content is None:
        return None
    if content.messages:
        return [{"role": one.role, "content": _turn(one)} for one in content.messages]
    return _parsed(content.text) if content.text is not None else jsonable(content.documents)


def _turn(message: Message) -> Any:  # noqa: ANN401 - as above
    parts = message.parts
    if all(isinstance(part, TextPart) for part in parts):
        return "".join(part.text for part in parts if isinstance(part, TextPart))
    return [jsonable(part) for part in parts]


def _parsed(text: str) -> Any:  # noqa: ANN401 - as above
    if text[:1] not in {"{", "[", '"'}:
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
