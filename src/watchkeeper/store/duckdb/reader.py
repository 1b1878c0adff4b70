"""Reads of spans and scores, each on a cursor of the calling thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import duckdb
import pyarrow as pa

from watchkeeper.kit.errors import StoreError, WatchkeeperError
from watchkeeper.model import Span
from watchkeeper.store.api import Facets, Page, ServiceRow, SessionFilter, SessionRow, SpanFilter
from watchkeeper.store.cursors import ScorePosition, SpanPosition, decode_cursor, encode_cursor
from watchkeeper.store.duckdb import rows, statements
from watchkeeper.store.duckdb.cache import BlockCache
from watchkeeper.store.duckdb.engine import translated
from watchkeeper.store.duckdb.filters import Query, span_conditions
from watchkeeper.store.duckdb.index import hash_key
from watchkeeper.store.duckdb.writer import Writer
from watchkeeper.store.figures import MAX_FACETS

__all__ = ["Reader"]

T = TypeVar("T")
_SCAN = 500
_PATIENCE = 20.0


class Reader:
    """Cursors, one a thread, and the reads that need no more than a filter."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, writer: Writer, cache: BlockCache) -> None:
        self._db = connection
        self._cache = cache
        self._writer = writer
        self._mine = threading.local()
        self._all: dict[int, duckdb.DuckDBPyConnection] = {}
        self._lock = threading.Lock()
        self._closed = False
        self._generation = 0
        self._there = threading.Event()
        self._there.set()

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Return this thread's cursor."""
        if self._closed:
            raise StoreError("the store is closed")
        cursor = getattr(self._mine, "cursor", None)
        if cursor is None or self._mine.generation != self._generation:
            self._mine.generation = self._generation
            cursor = self._mine.cursor = self.new_cursor()
        return cursor

    def new_cursor(self) -> duckdb.DuckDBPyConnection:
        """Return a cursor of one's own; give it back with `drop`."""
        if not self._there.wait(_PATIENCE):
            raise StoreError("the store is being opened again", hint="try again")
        with self._lock, translated():
            if self._closed:
                raise StoreError("the store is closed")
            cursor = self._db.cursor()
            cursor.execute(statements.USE)
            self._all[id(cursor)] = cursor
            return cursor

    def drop(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Close a cursor from `new_cursor`."""
        with self._lock:
            self._all.pop(id(cursor), None)
            cursor.close()

    def pause(self, *, stop: bool) -> None:
        """Let no new read begin: another connection is coming. With `stop`, end those that run and close their cursors."""
        with self._lock:
            self._there.clear()
            self._generation += 1
            for cursor in self._all.values() if stop else ():
                cursor.interrupt()
                cursor.close()
            self._all.clear()

    def resume(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Read from this connection from now on."""
        with self._lock:
            self._db = connection
            self._generation += 1
            self._there.set()

    def steady(self, work: Callable[[], T]) -> T:
        """Run a read, and again where it failed because the connection, or the memory limit, changed under it."""
        may_squeeze = True
        while True:
            before = self._generation, self._cache.turns
            try:
                return work()
            except WatchkeeperError as error:
                exchanged = before[0] != self._generation
                squeezed = before[1] != self._cache.turns and isinstance(error.__cause__, duckdb.OutOfMemoryException)
                if self._closed or not (exchanged or (squeezed and may_squeeze)):
                    raise
                may_squeeze = may_squeeze and exchanged

    def close(self) -> None:
        """Stop and close every cursor."""
        with self._lock:
            self._closed = True
            self._there.set()
            for cursor in self._all.values():
                cursor.interrupt()
                cursor.close()
            self._all.clear()

    def interrupt(self) -> None:
        """Stop what every cursor is running."""
        with self._lock:
            for cursor in self._all.values():
                cursor.interrupt()

    def fetch(self, query: Query) -> list[tuple[Any, ...]]:
        """Run a query and return its rows."""

        def read() -> list[tuple[Any, ...]]:
            with translated():
                found: list[tuple[Any, ...]] = self.cursor().execute(query.sql(), query.parameters).fetchall()
                return found

        return self.steady(read)

    def fetch_arrow(self, query: Query) -> pa.Table:
        """Run a query and return its rows as columns."""

        def read() -> pa.Table:
            with translated():
                return self.cursor().sql(query.sql(), params=query.parameters).to_arrow_table()

        return self.steady(read)

    def within(self, query: Query, project: str, trace_id: str) -> bool:
        """Narrow a query to a trace, by hash and time range; False when nothing of it is stored."""
        if self._closed:
            raise StoreError("the store is closed")
        hashed = hash_key(project, trace_id)
        limits = self._writer.range_of_trace(hashed)
        if limits is None:
            return False
        query.where("trace_hash = $trace_hash", trace_hash=hashed)
        query.where("start_ns BETWEEN $low AND $high", low=limits[0], high=limits[1])
        return True

    def range_of(self, trace_hash: int) -> tuple[int, int] | None:
        """Return the earliest and latest start time of a trace's spans."""
        return self._writer.range_of_trace(trace_hash)

    def list_spans(
        self, project: str, where: SpanFilter, *, limit: int, cursor: str | None, oldest_first: bool
    ) -> Page:
        """Return a page of SpanRow."""
        found = self.read_spans(statements.SPAN_ROWS, project, where, limit + 1, cursor, oldest_first=oldest_first)
        items = tuple(rows.span_row_of(values) for values in found[:limit])
        more = len(found) > limit and bool(items)
        last = SpanPosition(items[-1].start_time, items[-1].trace_id, items[-1].span_id) if more else None
        return Page(items=items, next_cursor=encode_cursor(last) if last is not None else None)

    def scan_spans(self, project: str, where: SpanFilter) -> Iterator[Span]:
        """Stream whole spans, oldest first."""
        cursor: str | None = None
        while True:
            found = self.read_spans(statements.SPANS, project, where, _SCAN, cursor, oldest_first=True)
            span = None
            for values in found:
                span = rows.span_of(values)
                yield span
            if span is None or len(found) < _SCAN:
                return
            cursor = encode_cursor(SpanPosition(span.start_time, span.trace_id, span.span_id))

    def get_span(self, project: str, trace_id: str, span_id: str) -> Span | None:
        """Return one span whole."""
        query = Query(statements.SPANS)
        query.where("span_id = $span_id", span_id=span_id)
        span_conditions(query, project, SpanFilter(trace_id=trace_id))
        if not self.within(query, project, trace_id):
            return None
        found = self.fetch(query)
        return rows.span_of(found[0]) if found else None

    def list_scores(
        self, project: str, *, trace_id: str | None, span_id: str | None, name: str | None, limit: int,
        cursor: str | None,
    ) -> Page:  # fmt: skip
        """Return a page of Score."""
        query = Query(statements.SCORES).where("project = $project", project=project)
        for column, value in (("trace_id", trace_id), ("span_id", span_id), ("name", name)):
            if value is not None:
                query.where(f"{column} = ${column}", **{column: value})
        after = decode_cursor(ScorePosition, cursor)
        if after is not None:
            query.where("(time_ns, id) < ($after_time, $after_id)", after_time=after.time, after_id=after.id)
        found = self.fetch(query.order("time_ns DESC", "id DESC").limit(limit + 1))
        items = tuple(rows.score_of(values) for values in found[:limit])
        more = len(found) > limit and bool(items)
        return Page(
            items=items,
            next_cursor=encode_cursor(ScorePosition(items[-1].time, items[-1].id)) if more else None,
        )

    def services(self) -> tuple[ServiceRow, ...]:
        """Return every project's services with their oldest span."""
        return tuple(
            ServiceRow(project=project, service=service, oldest=oldest)
            for project, service, oldest in self.fetch(Query(statements.SERVICES))
        )

    def facets(self, project: str, *, since: int, until: int) -> Facets:
        """Return the values there are to filter by."""

        def values(column: str) -> tuple[str, ...]:
            query = Query(statements.DISTINCT[column]).where(f"{column} IS NOT NULL")
            span_conditions(query, project, SpanFilter(since=since, until=until))
            return tuple(row[0] for row in self.fetch(query.order(column).limit(MAX_FACETS)))

        return Facets(
            services=values("service"), environments=values("environment"), models=values("model"),
            users=values("user_id"),
        )  # fmt: skip

    def list_sessions(
        self, project: str, where: SessionFilter, *, offset: int, limit: int
    ) -> tuple[tuple[SessionRow, ...], int]:
        """Return sessions, the newest first, and how many there are in all."""
        query = Query(statements.SESSIONS).where("project = $project", project=project)
        if where.since is not None:
            query.having("began >= $since", since=where.since)
        if where.until is not None:
            query.having("began < $until", until=where.until)
        if where.environments:
            named = [one for one in where.environments if one is not None]
            none = " OR first_environment IS NULL" if None in where.environments else ""
            query.having(f"(first_environment IN (SELECT unnest($environments::VARCHAR[])){none})", environments=named)
        found = self.fetch(query.order("began DESC", "session_id").limit(limit, offset))
        if not found and offset:  # past the end; how many there are is still told
            return (), self.list_sessions(project, where, offset=0, limit=1)[1]
        sessions = tuple(SessionRow(session_id=row[0], start=row[1], environment=row[2]) for row in found)
        return sessions, int(found[0][3]) if found else 0

    def read_spans(
        self, statement: str, project: str, where: SpanFilter, limit: int, cursor: str | None, *, oldest_first: bool
    ) -> list[tuple[Any, ...]]:
        """Run a statement over spans, filtered, in order, from a cursor on."""
        query = Query(statement)
        after = decode_cursor(SpanPosition, cursor)
        if where.trace_id is not None and not self.within(query, project, where.trace_id):
            return []
        span_conditions(query, project, where)
        if after is not None:
            sign = ">" if oldest_first else "<"
            # The first condition repeats the start so that row groups are skipped by their time range.
            query.where(f"start_ns {sign}= $after_start")
            query.where(
                f"(start_ns, trace_id, span_id) {sign} ($after_start, $after_trace, $after_span)",
                after_start=after.start, after_trace=after.trace_id, after_span=after.span_id,
            )  # fmt: skip
        way = "ASC" if oldest_first else "DESC"
        query.order(f"start_ns {way}", f"trace_id {way}", f"span_id {way}").limit(limit)
        return self.fetch(query)
