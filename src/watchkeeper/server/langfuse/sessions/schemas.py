"""Langfuse's shapes of a session and of its traces."""

from __future__ import annotations

from typing import Any

from watchkeeper.server.langfuse.shapes import Meta, Theirs
from watchkeeper.server.schemas import Time

__all__ = ["SessionList", "SessionOut", "SessionWithTraces", "TraceOut"]


class SessionOut(Theirs):
    """A session; it was made when its earliest span began."""

    id: str
    created_at: Time
    project_id: str
    environment: str


class SessionList(Theirs):
    """A page of sessions, the newest first."""

    data: list[SessionOut]
    meta: Meta


class TraceOut(Theirs):
    """A trace, as its entry span tells it: the root, else the earliest."""

    id: str
    timestamp: Time
    name: str | None
    input: Any
    output: Any
    session_id: str | None
    user_id: str | None
    release: str | None
    version: str | None
    metadata: dict[str, Any]
    tags: list[str]
    public: bool = False
    environment: str


class SessionWithTraces(SessionOut):
    """A session with its traces, the oldest first."""

    traces: list[TraceOut]
