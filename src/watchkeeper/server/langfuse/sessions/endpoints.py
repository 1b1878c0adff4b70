"""`GET /api/public/sessions` and `/sessions/ID`."""

from __future__ import annotations

from itertools import islice
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from watchkeeper.kit.errors import NotFoundError, RequestError
from watchkeeper.server.langfuse.sessions.schemas import SessionList, SessionOut, SessionWithTraces
from watchkeeper.server.langfuse.sessions.shaping import NO_ENVIRONMENT, session_of
from watchkeeper.server.langfuse.shapes import Limit, Meta, PageNumber
from watchkeeper.server.request import TimeText, nanoseconds, project, services
from watchkeeper.store.api import SessionFilter, SpanFilter, SpanStore

__all__ = ["router"]

router = APIRouter()
_SPANS = 5_000

Project = Annotated[str, Depends(project)]
Store = Annotated[SpanStore, Depends(services(lambda parts: parts.store))]
Environments = Annotated[list[str] | None, Query(max_length=50)]


@router.get("/sessions")
def list_sessions(
    project_id: Project, store: Store, since: Annotated[TimeText, Query(alias="fromTimestamp")] = None,
    until: Annotated[TimeText, Query(alias="toTimestamp")] = None, environment: Environments = None,
    page: PageNumber = 1, limit: Limit = 50,
) -> SessionList:  # fmt: skip
    """List sessions by when they began, the newest first."""
    where = SessionFilter(
        since=nanoseconds("fromTimestamp", since), until=nanoseconds("toTimestamp", until),
        environments=tuple(None if one == NO_ENVIRONMENT else one for one in environment or ()),
    )  # fmt: skip
    found, total = store.list_sessions(project_id, where, offset=(page - 1) * limit, limit=limit)
    return SessionList(
        data=[
            SessionOut(
                id=one.session_id, created_at=one.start, project_id=project_id,  # type: ignore[arg-type]
                environment=one.environment or NO_ENVIRONMENT,
            )
            for one in found
        ],
        meta=Meta.of(page, limit, total),
    )  # fmt: skip


@router.get("/sessions/{session:path}")
def get_session(project_id: Project, store: Store, session: str) -> SessionWithTraces:
    """Return a session with its traces."""
    spans = list(islice(store.scan_spans(project_id, SpanFilter(session_id=session)), _SPANS + 1))
    if len(spans) > _SPANS:
        raise RequestError(
            f"the session has more than {_SPANS} spans", hint="read its traces by /api/v1/traces?session_id="
        )
    found = session_of(project_id, session, spans)
    if found is None:
        raise NotFoundError(f"Session not found: '{session}'")
    return found
