"""The DuckDB backend: one file, one writer thread, many readers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

from watchkeeper.kit.errors import StoreError, WatchkeeperError
from watchkeeper.model import Span
from watchkeeper.store.api import (
    EXPIRE_MOST,
    Accepted,
    BackupReport,
    Capabilities,
    CostChange,
    ErasedTraces,
    ErasureReport,
    ExpiryReport,
    Facets,
    HourRow,
    KeptFile,
    MapAnew,
    Overview,
    Page,
    Progress,
    QueryLimits,
    ReclaimReport,
    Refine,
    Remapped,
    Selector,
    ServiceRow,
    SessionFilter,
    SessionRow,
    SpanFilter,
    StoreStats,
    Table,
    TraceFilter,
    TraceRow,
    WriteBatch,
    WriteReceipt,
)
from watchkeeper.store.duckdb.accept import Acceptor
from watchkeeper.store.duckdb.again import Again
from watchkeeper.store.duckdb.cache import BlockCache
from watchkeeper.store.duckdb.copy import Copier
from watchkeeper.store.duckdb.engine import FORMAT_VERSION, connect
from watchkeeper.store.duckdb.erase import Eraser
from watchkeeper.store.duckdb.figures import overview
from watchkeeper.store.duckdb.index import hash_key
from watchkeeper.store.duckdb.journal import Journal, journal_path
from watchkeeper.store.duckdb.kept import Kept
from watchkeeper.store.duckdb.parcel import names_trace, pack, unpack
from watchkeeper.store.duckdb.reader import Reader
from watchkeeper.store.duckdb.remap import Remapper
from watchkeeper.store.duckdb.reprice import Repricer
from watchkeeper.store.duckdb.retention import Expirer
from watchkeeper.store.duckdb.rollup import Rollup
from watchkeeper.store.duckdb.space import Space, sizes_of
from watchkeeper.store.duckdb.sql_query import run_query
from watchkeeper.store.duckdb.traces import Traces
from watchkeeper.store.duckdb.writer import Writer
from watchkeeper.store.queue import WriteQueue
from watchkeeper.store.room import Room

if TYPE_CHECKING:
    from sqlglot import exp

__all__ = ["DuckdbStore"]

_CATCH_UP = 1.0
"""Seconds a read waits for what was acknowledged before it."""

_SETTLE = 60.0
"""Seconds a backup waits for what is acknowledged to be stored."""

_PATIENCE = 10.0
"""Seconds a file that is opened again may be held by a reader of the connection before."""

_ANY_SESSION = SessionFilter()


class DuckdbStore:
    """Spans, scores and log records in one DuckDB file; see `store.api`.

    Raises:
        StoreLockedError: another process has the file.
        StoreFormatError: the file is of a newer release, or not one of ours.
    """

    def __init__(self, path: Path, *, refine: Refine, memory_mib: int, queue_bytes: int, min_free: int = 0) -> None:
        self._path = path
        self._room = Room(path.parent, min_free)
        db = connect(path, memory_mib=memory_mib)
        self._queue = WriteQueue(queue_bytes)
        try:
            self._journal = Journal(journal_path(path))
            self._acceptor = Acceptor(self._journal, self._queue)
            self._writer = Writer(db, path, refine, self._queue, self._journal)
            self._writer.cache = cache = BlockCache(memory_mib)
            self._reader = Reader(db, self._writer, cache)
            self._rollup = Rollup(self._reader, self._writer.changes)
            self._traces = Traces(self._reader, self._writer.counts)
            self._writer.readers = self._reader
            self._writer.open_again = lambda: connect(path, memory_mib=memory_mib, patience=_PATIENCE)
            self._repricer = Repricer(self._reader, self._writer)
            self._remapper = Remapper(self._reader, self._writer)
            self._kept = Kept(journal_path(path))
            self._eraser = Eraser(self._writer, self._kept)
            self._again = Again(self._writer, self._eraser)
            self._expirer = Expirer(self._writer)
            self._copier = Copier(self._writer, self._reader)
            self._space = Space(path, self._writer, self._copier, keep_free=min_free)
            self._writer.interrupt_readers = self._reader.interrupt
            self._writer.start()
            self._acceptor.start()
        except WatchkeeperError:
            db.close()
            raise
        self._open = True

    @property
    def capabilities(self) -> Capabilities:
        """Say what this backend can do."""
        return Capabilities(sql=True, survives_restart=True, backup=True)

    def pack(self, spans: Sequence[Span]) -> WriteBatch:
        """Turn spans into columns, away from the writer."""
        return WriteBatch(parcel=pack(spans))

    def unpack(self, data: bytes) -> WriteBatch:
        """Take columns that were packed elsewhere; `data` is kept, not copied."""
        return WriteBatch(parcel=unpack(data))

    def submit(self, batch: WriteBatch) -> Future[WriteReceipt]:
        """Take a batch; the future resolves when it is stored."""
        self._room.check()
        return self._queue.put(batch)

    def accept(self, batch: WriteBatch) -> Accepted:
        """Take a batch that is stored later: acknowledged from the journal."""
        self._room.check()
        return self._acceptor.accept(batch)

    def _catch_up(self, project: str = "", trace_id: str | None = None) -> None:
        """Hurry what was acknowledged before this read, of a trace only what names it.

        Not where it finds no room: reading goes on without it.
        """
        if self._writer.is_behind:
            return
        if trace_id is None:
            self._queue.settle(_CATCH_UP)
        else:
            hashed = hash_key(project, trace_id)
            self._queue.settle(_CATCH_UP, lambda batch: names_trace(batch, trace_id, hashed))

    def settle(self, seconds: float) -> bool:
        """Wait until all that was acknowledged is in the database file."""
        return self._queue.settle(seconds)

    def list_traces(self, project: str, where: TraceFilter, *, limit: int = 50, cursor: str | None = None) -> Page:
        """Return a page of TraceRow."""
        self._catch_up()
        return self._traces.list_traces(project, where, limit=limit, cursor=cursor)

    def get_trace(self, project: str, trace_id: str) -> TraceRow | None:
        """Return the summary of one trace."""
        self._catch_up(project, trace_id)
        return self._traces.get_trace(project, trace_id)

    def list_spans(
        self,
        project: str,
        where: SpanFilter,
        *,
        limit: int = 100,
        cursor: str | None = None,
        oldest_first: bool = False,
    ) -> Page:
        """Return a page of SpanRow."""
        self._catch_up(project, where.trace_id)
        return self._reader.list_spans(project, where, limit=limit, cursor=cursor, oldest_first=oldest_first)

    def get_span(self, project: str, trace_id: str, span_id: str) -> Span | None:
        """Return one span whole."""
        self._catch_up(project, trace_id)
        return self._reader.get_span(project, trace_id, span_id)

    def scan_spans(self, project: str, where: SpanFilter) -> Iterator[Span]:
        """Stream whole spans, oldest first, in bounded memory."""
        self._catch_up(project, where.trace_id)
        return self._reader.scan_spans(project, where)

    def list_scores(
        self,
        project: str,
        *,
        trace_id: str | None = None,
        span_id: str | None = None,
        name: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page:
        """Return a page of Score, newest first."""
        self._catch_up(project, trace_id)
        return self._reader.list_scores(
            project, trace_id=trace_id, span_id=span_id, name=name, limit=limit, cursor=cursor
        )

    def overview(
        self, project: str, *, since: int, until: int, service: str | None = None, buckets: int = 60
    ) -> Overview:
        """Return figures over model calls that started in [since, until) ns."""
        self._catch_up()
        return overview(self._reader, self._rollup, project, since=since, until=until, service=service, buckets=buckets)

    def facets(self, project: str, *, since: int, until: int) -> Facets:
        """Return the values there are to filter by."""
        self._catch_up()
        return self._reader.facets(project, since=since, until=until)

    def list_sessions(
        self, project: str, where: SessionFilter = _ANY_SESSION, *, offset: int = 0, limit: int = 50
    ) -> tuple[tuple[SessionRow, ...], int]:
        """Return sessions, the newest first, and how many there are in all."""
        self._catch_up()
        return self._reader.list_sessions(project, where, offset=offset, limit=limit)

    def query(self, project: str, select: exp.Query, limits: QueryLimits) -> Table:
        """Run a SELECT that was allowed, over `spans` and `scores` of the project alone."""
        self._catch_up()
        return run_query(self._reader, project, select, limits)

    def priced_spans(self, project: str, where: SpanFilter, *, limit: int = 1_000, cursor: str | None = None) -> Page:
        """Return a page of model calls as far as a price depends on them."""
        self._catch_up()
        return self._repricer.priced_spans(project, where, limit=limit, cursor=cursor)

    def reprice(self, project: str, changes: Sequence[CostChange]) -> int:
        """Replace costs."""
        return self._repricer.reprice(project, changes)

    def count_spans(self, project: str, where: SpanFilter) -> int:
        """Count spans."""
        self._catch_up(project, where.trace_id)
        return self._remapper.count(project, where)

    def remap(
        self, project: str, where: SpanFilter, again: MapAnew, *, limit: int = 250, cursor: str | None = None,
        dry_run: bool = False,
    ) -> Remapped:  # fmt: skip
        """Map a page of spans anew."""
        if not dry_run:
            self._room.check()
        self._catch_up(project, where.trace_id)
        return self._remapper.remap(project, where, again, limit=limit, cursor=cursor, dry_run=dry_run)

    def hours(self, *, since: int, until: int, source: str) -> tuple[HourRow, ...]:
        """Return what model calls cost by hour, of all projects."""
        self._catch_up()
        return self._repricer.hours(since=since, until=until, source=source)

    def erase(self, project: str, selector: Selector, *, dry_run: bool = False) -> ErasureReport:
        """Erase what is selected; with `dry_run` only count it."""
        return self._eraser.erase(project, selector, dry_run=dry_run)

    def services(self) -> tuple[ServiceRow, ...]:
        """Return every project's services with their oldest span."""
        self._catch_up()
        return self._reader.services()

    def expire(self, project: str, service: str, before: int, *, most: int = EXPIRE_MOST) -> ExpiryReport:
        """Delete a service's oldest spans that started before a time."""
        return self._expirer.expire(project, service, before, most=most)

    def reclaim(self, *, force: bool = False) -> ReclaimReport:
        """Give space back to the file system."""
        self._writer.do(lambda _: self._writer.trim(idle=True)).result()
        return self._space.reclaim(force=force or self.stats().reclaim_due is not None)

    def backup(self, target: Path, *, together: Callable[[], None], progress: Progress) -> BackupReport:
        """Write the store to a new file, whole."""
        if not self.settle(_SETTLE):
            raise StoreError(
                "what was acknowledged cannot be stored yet, and would not be in a backup",
                hint="see whether the disk is full, then try again",
            )
        return self._space.backup(target, together, progress)

    def erased_traces(self) -> ErasedTraces:
        """Return the marks of the traces that were erased."""
        return self._again.marks()

    def erase_again(self, marks: ErasedTraces, digests: Collection[str]) -> ErasureReport:
        """Erase what was erased elsewhere."""
        return self._again.erase(marks, digests)

    def kept(self) -> tuple[KeptFile, ...]:
        """Return what was acknowledged and could not be stored."""
        return self._kept.files()

    def expire_kept(self, before: int) -> int:
        """Delete what was kept before a time."""
        return self._kept.expire(before)

    def drop_kept(self, name: str) -> None:
        """Delete one file that was kept."""
        self._kept.drop(name)

    def retry_kept(self, name: str) -> WriteReceipt:
        """Store an export that was set aside."""
        return self._kept.retry(name, self.submit)

    def stats(self) -> StoreStats:
        """Return counts and sizes; no query is run."""
        if not self._open:
            raise StoreError("the store is closed")
        counts = self._writer.counts
        whole, wal = sizes_of(self._path)
        journal = self._kept.stats(self._queue.unfolded, self._journal.size)
        return StoreStats(
            revision=counts.revision,
            spans=counts.spans,
            scores=counts.scores,
            pending_logs=counts.pending_logs,
            queued=self._queue.held,
            disk_bytes=whole + journal.pending_bytes + journal.refused_bytes + journal.damaged_bytes,
            format_version=FORMAT_VERSION,
            reclaim_due=counts.reclaim_due,
            erased=counts.erased,
            expired=counts.expired,
            reclaimed_bytes=counts.reclaimed_bytes,
            full=self._room.full,
            queued_spans=self._queue.held_spans,
            queue_limit=self._queue.limit,
            wal_bytes=wal,
            commits=counts.commits.read(),
            checkpoints=counts.checkpoints.read(),
            journal=journal,
        )

    def close(self) -> None:
        """Drain, then close. Safe to call twice."""
        if not self._open:
            return
        self._open = False
        self._acceptor.stop()
        self._writer.stop()
        self._reader.close()
        self._writer.close()
