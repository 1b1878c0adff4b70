"""Traces for the API: the store's rows in JSON's clothes."""

from __future__ import annotations

from watchkeeper.ingest import notes_of
from watchkeeper.kit.errors import NotFoundError
from watchkeeper.model import Span, masked_of
from watchkeeper.server.jsonable import jsonable
from watchkeeper.server.prices.display import Display
from watchkeeper.server.schemas import SpanOut, TraceOut, plain
from watchkeeper.server.scores.schemas import ScoreOut
from watchkeeper.server.traces.schemas import SpanDetail, SpanPage, TraceDetail, TracePage
from watchkeeper.store.api import SpanFilter, SpanStore, TraceFilter

__all__ = ["TRACE_SPANS", "TraceService"]

TRACE_SPANS = 5_000
"""Spans shown with a trace; the rest are reached through `/api/v1/spans?trace_id=`."""


class TraceService:
    """Reads traces and spans of one project at a time."""

    def __init__(self, store: SpanStore, display: Display) -> None:
        self._store = store
        self._display = display

    def list_traces(self, project: str, where: TraceFilter, limit: int, cursor: str | None) -> TracePage:
        """Return a page of traces."""
        page = self._store.list_traces(project, where, limit=limit, cursor=cursor)
        return TracePage(items=[TraceOut.of(row) for row in page.items], next_cursor=page.next_cursor)

    def list_spans(self, project: str, where: SpanFilter, limit: int, cursor: str | None) -> SpanPage:
        """Return a page of spans."""
        page = self._store.list_spans(project, where, limit=limit, cursor=cursor)
        return SpanPage(items=[SpanOut.of(row) for row in page.items], next_cursor=page.next_cursor)

    def get_trace(self, project: str, trace_id: str) -> TraceDetail:
        """Return a trace, its spans and its scores.

        Raises:
            NotFoundError: the project has no such trace.
        """
        trace = self._store.get_trace(project, trace_id)
        if trace is None:
            raise NotFoundError(f"there is no trace {trace_id}")
        spans = self._store.list_spans(project, SpanFilter(trace_id=trace_id), limit=TRACE_SPANS, oldest_first=True)
        scores = self._store.list_scores(project, trace_id=trace_id, limit=1_000)
        return TraceDetail(
            trace=TraceOut.of(trace),
            spans=[SpanOut.of(row) for row in spans.items],
            truncated=spans.next_cursor is not None,
            scores=[ScoreOut.of(score) for score in scores.items],
        )

    def get_span(self, project: str, trace_id: str, span_id: str) -> SpanDetail:
        """Return one span whole.

        Raises:
            NotFoundError: the project has no such span.
        """
        span = self._store.get_span(project, trace_id, span_id)
        if span is None:
            raise NotFoundError(f"there is no span {span_id} in trace {trace_id}")
        detail = SpanDetail.model_validate(
            plain(span)
            | {
                "raw": jsonable(span.raw),
                "masked": masked_of(span.raw.attributes),
                "notes": [plain(note) for note in notes_of(span, self._parent(span))],
            }
        )
        if detail.cost is not None and span.cost is not None:
            detail.cost.confidence = span.cost.confidence
            detail.cost.shown = self._display.money(span.cost.nano_usd, span.start_time)
        return detail

    def _parent(self, span: Span) -> Span | None:
        if span.parent_span_id is None or span.parent_span_id == span.span_id:
            return None
        return self._store.get_span(span.project, span.trace_id, span.parent_span_id)
