"""`/api/v1/traces` and `/api/v1/spans`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from watchkeeper.server.request import LIMIT, SpanQuery, TraceQuery, project, services
from watchkeeper.server.traces.schemas import SpanDetail, SpanPage, TraceDetail, TracePage
from watchkeeper.server.traces.service import TraceService

__all__ = ["router"]

router = APIRouter(tags=["traces"])

Project = Annotated[str, Depends(project)]
Traces = Annotated[TraceService, Depends(services(lambda parts: parts.traces))]
TraceId = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="32 lower-case hex digits")]
SpanId = Annotated[str, Path(pattern="^[0-9a-f]{16}$", description="16 lower-case hex digits")]
Limit = Annotated[int, Query(ge=1, le=LIMIT)]
Cursor = Annotated[str | None, Query(max_length=500)]


@router.get("/traces")
def list_traces(
    project: Project, traces: Traces, where: Annotated[TraceQuery, Depends()], limit: Limit = 50, cursor: Cursor = None
) -> TracePage:
    """List traces, newest first."""
    return traces.list_traces(project, where.filter(), limit, cursor)


@router.get("/traces/{trace_id}")
def get_trace(project: Project, traces: Traces, trace_id: TraceId) -> TraceDetail:
    """Return one trace with its spans and scores."""
    return traces.get_trace(project, trace_id)


@router.get("/traces/{trace_id}/spans/{span_id}")
def get_span(project: Project, traces: Traces, trace_id: TraceId, span_id: SpanId) -> SpanDetail:
    """Return one span whole."""
    return traces.get_span(project, trace_id, span_id)


@router.get("/spans")
def list_spans(
    project: Project, traces: Traces, where: Annotated[SpanQuery, Depends()], limit: Limit = 100, cursor: Cursor = None
) -> SpanPage:
    """List spans, newest first."""
    return traces.list_spans(project, where.filter(), limit, cursor)
