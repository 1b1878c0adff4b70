"""Lists of traces without a table of traces: windows over the newest spans, exact at their edges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from watchkeeper.store.api import Page, TraceFilter, TraceRow
from watchkeeper.store.cursors import TracePosition, decode_cursor, encode_cursor
from watchkeeper.store.duckdb import statements
from watchkeeper.store.duckdb.counts import Counts
from watchkeeper.store.duckdb.filters import Query, trace_conditions
from watchkeeper.store.duckdb.reader import Reader

__all__ = ["Traces"]

_FIRST_WINDOW = 20
_GROWTH = 8
_SLACK = 50
_HASHES = "trace_hash IN (SELECT unnest($hashes::UBIGINT[]))"
_TRACE_FIELDS = (
    "trace_id", "entry", "first_input", "last_output", "session_id", "user_id", "tags", "start_time", "duration_ns",
    "spans", "calls", "errors", "unpriced", "models", "input_tokens", "output_tokens", "cost_nano_usd",
    "masked",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Found:
    trace_id: str
    trace_hash: int
    start: int


class Traces:
    """Trace summaries, computed from the spans.

    A trace that starts at or after a time T has all its spans at or after T. So the traces of a window
    [T, now) are found by grouping the window's spans, less those that also have a span before T. When
    the window holds too few, T moves back and the window grows.
    """

    def __init__(self, reader: Reader, counts: Counts) -> None:
        self._reader = reader
        self._counts = counts

    def list_traces(self, project: str, where: TraceFilter, *, limit: int, cursor: str | None) -> Page:
        """Return a page of TraceRow."""
        after = decode_cursor(TracePosition, cursor)
        # Spans that came after paging began do not move a trace from where it was.
        seen = after.revision if after is not None else self._counts.revision
        found: list[_Found] = []
        size = max(1, limit) * _FIRST_WINDOW
        whole = False
        while len(found) <= limit and not whole:
            edge = self._window_start(project, where, after, size)
            whole = edge is None
            if whole:
                edge = where.since
            found = self._keys(project, where, after, seen, edge, limit + 1)
            size *= _GROWTH
        shown = found[:limit]
        rows = self._rows(project, shown)
        items = tuple(rows[one.trace_id] for one in shown if one.trace_id in rows)
        if len(found) <= limit or not shown:
            return Page(items=items)
        last = shown[-1]
        return Page(items=items, next_cursor=encode_cursor(TracePosition(last.start, last.trace_id, seen)))

    def get_trace(self, project: str, trace_id: str) -> TraceRow | None:
        """Return the summary of one trace."""
        query = Query(statements.TRACE_ROWS)
        query.where("project = $project AND trace_id = $trace_id", project=project, trace_id=trace_id)
        if not self._reader.within(query, project, trace_id):
            return None
        found = self._reader.fetch(query)
        return _row(found[0]) if found else None

    def _window_start(self, project: str, where: TraceFilter, after: TracePosition | None, size: int) -> int | None:
        """Return the start time of the `size`-th newest span that is not after the cursor, None past the oldest."""
        query = Query(statements.WINDOW_START).where("project = $project", project=project)
        if after is not None:
            query.where("start_ns <= $after_start", after_start=after.start)
        if where.until is not None:
            query.where("start_ns < $until", until=where.until)
        if where.since is not None:
            query.where("start_ns >= $since", since=where.since)
        found = self._reader.fetch(query.order("start_ns DESC").limit(1, offset=size))
        return int(found[0][0]) if found else None

    def _keys(
        self, project: str, where: TraceFilter, after: TracePosition | None, seen: int, edge: int | None, limit: int
    ) -> list[_Found]:
        """Return the newest matching traces that start at or after the edge, and after the cursor."""
        query = self._keys_query(project, where, after, seen, edge)
        sql, wanted = query, limit + _SLACK
        while True:
            rows = self._reader.fetch(sql.limit(wanted))
            found = [_Found(row[0], row[1], row[2]) for row in rows]
            if edge is not None:
                older = self._older(project, found, edge, seen)
                found = [one for one in found if one.trace_id not in older]
            if len(found) >= limit or len(rows) < wanted:
                return found[:limit]
            wanted *= _GROWTH

    def _keys_query(
        self, project: str, where: TraceFilter, after: TracePosition | None, seen: int, edge: int | None
    ) -> Query:
        query = Query(statements.TRACE_KEYS, seen=seen).where("project = $project", project=project)
        if edge is not None:
            query.where("start_ns >= $edge", edge=edge)
        if where == TraceFilter(since=where.since, until=where.until):
            # Nothing but the first span decides: those after the cursor need not be read.
            query.where("revision <= $seen")
            if after is not None:
                query.where("start_ns <= $after_start")
        query.having("started IS NOT NULL")
        if where.since is not None:
            query.having("started >= $since", since=where.since)
        if where.until is not None:
            query.having("started < $until", until=where.until)
        if after is not None:
            query.having("started <= $after_start", after_start=after.start)
            query.having("(started < $after_start OR trace_id < $after_trace)", after_trace=after.trace_id)
        return trace_conditions(query, where).order("started DESC", "trace_id DESC")

    def _older(self, project: str, found: Sequence[_Found], edge: int, seen: int) -> set[str]:
        """Return those that also have a span before the edge: they belong to an older window."""
        doubtful = [one for one in found if self._range(one)[0] < edge]
        if not doubtful:
            return set()
        query = Query(statements.TRACES_BEFORE)
        query.where("project = $project", project=project)
        query.where("start_ns < $edge AND revision <= $seen", edge=edge, seen=seen)
        query.where(_HASHES, hashes=[one.trace_hash for one in doubtful])
        return {row[0] for row in self._reader.fetch(query)}

    def _rows(self, project: str, found: Sequence[_Found]) -> dict[str, TraceRow]:
        if not found:
            return {}
        ranges = [self._range(one) for one in found]
        query = Query(statements.TRACE_ROWS).where("project = $project", project=project)
        query.where("start_ns BETWEEN $low AND $high", low=min(r[0] for r in ranges), high=max(r[1] for r in ranges))
        query.where(_HASHES, hashes=[one.trace_hash for one in found])
        query.where("trace_id IN (SELECT unnest($ids))", ids=[one.trace_id for one in found])
        return {row.trace_id: row for row in map(_row, self._reader.fetch(query))}

    def _range(self, one: _Found) -> tuple[int, int]:
        return self._reader.range_of(one.trace_hash) or (one.start, one.start)


def _row(values: tuple[Any, ...]) -> TraceRow:
    row = dict(zip(_TRACE_FIELDS, values, strict=True))
    entry = row.pop("entry")
    return TraceRow(
        trace_id=row["trace_id"],
        name=entry["name"], service=entry["service"], environment=entry["environment"],
        session_id=entry["session_id"] or row["session_id"], user_id=entry["user_id"] or row["user_id"],
        tags=tuple(msgspec.json.decode(entry["tags"] or row["tags"] or "[]")),
        start_time=row["start_time"], duration_ns=row["duration_ns"],
        status="error" if entry["status"] == "error" else "ok",
        spans=row["spans"], calls=row["calls"], errors=row["errors"], unpriced=row["unpriced"],
        models=tuple(row["models"] or ()), input_tokens=row["input_tokens"], output_tokens=row["output_tokens"],
        cost_nano_usd=row["cost_nano_usd"], masked=row["masked"],
        input=row["first_input"] or "", output=entry["output"] or row["last_output"] or "",
    )  # fmt: skip
