"""The simplest thing that keeps the law: dictionaries under a lock, and every answer worked out afresh."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from watchkeeper.kit.errors import CapabilityError, NotFoundError, OverloadedError, StoreError
from watchkeeper.model import MODEL_KINDS, RawLog, RawSpan, Score, Span, merge_raw
from watchkeeper.store.anew import Tally, differing
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
    Outcome,
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
from watchkeeper.store.cursors import ScorePosition, SpanPosition, TracePosition, decode_cursor, encode_cursor
from watchkeeper.store.doubles import duplicates_of
from watchkeeper.store.figures import MAX_FACETS
from watchkeeper.store.memory.erase import Erasure, chosen_traces, erasure, expiry
from watchkeeper.store.memory.figures import hours, overview
from watchkeeper.store.memory.views import matches_span, matches_trace, same, sessions, span_row, trace_row
from watchkeeper.store.queue import weigh

if TYPE_CHECKING:
    from sqlglot import exp

__all__ = ["MemoryStore"]

_Key: TypeAlias = tuple[str, str, str]
_FACTS = ("session_id", "user_id", "tags", "release")
_SCAN = 500

_ANY_SESSION = SessionFilter()


class MemoryStore:
    """Spans, scores and log records while the process lives; see `store.api`. Durable means: in memory."""

    def __init__(self, *, refine: Refine, queue_bytes: int) -> None:
        self._refine = refine
        self._limit = queue_bytes
        self._lock = threading.RLock()
        self._spans: dict[_Key, tuple[Span, int]] = {}
        self._scores: dict[tuple[str, str], Score] = {}
        self._logs: dict[_Key, list[RawLog]] = {}
        self._erased: set[tuple[str, str]] = set()
        self._revision = 0
        self._queued = 0
        self._open = True

    @property
    def capabilities(self) -> Capabilities:
        """Say what this backend can do."""
        return Capabilities()

    def pack(self, spans: Sequence[Span]) -> WriteBatch:
        """Return the spans as a batch; objects are what this backend keeps."""
        return WriteBatch(spans=tuple(spans))

    def unpack(self, data: bytes) -> WriteBatch:  # noqa: ARG002 - the contract names it
        """Refuse: nothing packs for this backend."""
        raise CapabilityError("the memory store does not pack")

    def submit(self, batch: WriteBatch) -> Future[WriteReceipt]:
        """Take a batch; it is stored when this returns."""
        weight = weigh(batch)
        with self._lock:
            self._check()
            if self._queued and self._queued + weight > self._limit:
                raise OverloadedError("the write queue is full")
            self._queued += weight
            future: Future[WriteReceipt] = Future()
            started = time.perf_counter_ns()
            kept = dict(self._spans), dict(self._scores), {key: list(logs) for key, logs in self._logs.items()}
            try:
                outcomes = self._store(batch)
            except Exception as error:  # noqa: BLE001 - whatever it is, the promise must be settled
                self._spans, self._scores, self._logs = kept
                future.set_exception(error if isinstance(error, StoreError) else StoreError(str(error)))
                return future
            finally:
                self._queued -= weight
            self._revision += 1
            future.set_result(WriteReceipt(outcomes=outcomes, commit_ns=time.perf_counter_ns() - started))
            return future

    def accept(self, batch: WriteBatch) -> Accepted:
        """Take a batch; here both promises are one."""
        receipt, durable = self.submit(batch), Future[None]()
        error = receipt.exception()
        if error is None:
            durable.set_result(None)
        else:
            durable.set_exception(error)
        return Accepted(durable, receipt)

    def settle(self, seconds: float) -> bool:  # noqa: ARG002 - nothing is ever waited for
        """Say that all is stored."""
        return True

    def list_traces(self, project: str, where: TraceFilter, *, limit: int = 50, cursor: str | None = None) -> Page:
        """Return a page of TraceRow."""
        after = decode_cursor(TracePosition, cursor)
        with self._lock:
            seen = after.revision if after is not None else self._revision
            traces: dict[str, list[Span]] = {}
            starts: dict[str, int] = {}
            for span, revision in self._of(project):
                traces.setdefault(span.trace_id, []).append(span)
                if revision <= seen:
                    starts[span.trace_id] = min(starts.get(span.trace_id, span.start_time), span.start_time)
        found = sorted(
            ((start, trace_id) for trace_id, start in starts.items() if matches_trace(traces[trace_id], start, where)),
            reverse=True,
        )
        if after is not None:
            found = [one for one in found if one < (after.start, after.trace_id)]
        items = tuple(trace_row(traces[trace_id]) for _, trace_id in found[:limit])
        if len(found) <= limit or not items:
            return Page(items=items)
        return Page(items=items, next_cursor=encode_cursor(TracePosition(*found[limit - 1], seen)))

    def get_trace(self, project: str, trace_id: str) -> TraceRow | None:
        """Return the summary of one trace."""
        spans = [span for span, _ in self._of(project) if span.trace_id == trace_id]
        return trace_row(spans) if spans else None

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
        found = self._find(project, where, cursor, oldest_first=oldest_first)
        items = tuple(span_row(span) for span in found[:limit])
        if len(found) <= limit or not items:
            return Page(items=items)
        return Page(items=items, next_cursor=encode_cursor(_position(found[limit - 1])))

    def get_span(self, project: str, trace_id: str, span_id: str) -> Span | None:
        """Return one span whole."""
        with self._lock:
            self._check()
            found = self._spans.get((project, trace_id, span_id))
            return deepcopy(self._with_facts(found[0])) if found is not None else None

    def scan_spans(self, project: str, where: SpanFilter) -> Iterator[Span]:
        """Stream whole spans, oldest first."""
        cursor: str | None = None
        while True:
            found = self._find(project, where, cursor, oldest_first=True)[:_SCAN]
            yield from deepcopy(found)  # what is returned belongs to the caller
            if len(found) < _SCAN:
                return
            cursor = encode_cursor(_position(found[-1]))

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
        after = decode_cursor(ScorePosition, cursor)
        asked = {"project": project, "trace_id": trace_id, "span_id": span_id, "name": name}
        with self._lock:
            self._check()
            found = [
                score
                for score in self._scores.values()
                if all(value is None or getattr(score, field) == value for field, value in asked.items())
                and (after is None or (score.time, score.id) < (after.time, after.id))
            ]
        found.sort(key=lambda score: (score.time, score.id), reverse=True)
        items = tuple(found[:limit])
        more = len(found) > limit and bool(items)
        return Page(
            items=items, next_cursor=encode_cursor(ScorePosition(items[-1].time, items[-1].id)) if more else None
        )

    def overview(
        self, project: str, *, since: int, until: int, service: str | None = None, buckets: int = 60
    ) -> Overview:
        """Return figures over model calls that started in [since, until) ns."""
        spans = self._find(project, SpanFilter(since=since, until=until, service=service), None, oldest_first=True)
        return overview(spans, since=since, until=until, buckets=buckets)

    def facets(self, project: str, *, since: int, until: int) -> Facets:
        """Return the values there are to filter by."""
        spans = self._find(project, SpanFilter(since=since, until=until), None, oldest_first=True)

        def values(field: str) -> tuple[str, ...]:
            found = {getattr(span, field) for span in spans} - {None}
            return tuple(sorted(found, key=str.encode)[:MAX_FACETS])

        return Facets(
            services=values("service"),
            environments=values("environment"),
            models=values("model"),
            users=values("user_id"),
        )

    def list_sessions(
        self, project: str, where: SessionFilter = _ANY_SESSION, *, offset: int = 0, limit: int = 50
    ) -> tuple[tuple[SessionRow, ...], int]:
        """Return sessions, the newest first, and how many there are in all."""
        found = sessions([span for span, _ in self._of(project)], where)
        return tuple(found[offset : offset + limit]), len(found)

    def query(self, project: str, select: exp.Query, limits: QueryLimits) -> Table:  # noqa: ARG002 - the law's
        """Refuse: there is no SQL here."""
        raise CapabilityError("the store in memory cannot run SQL", hint="start the server with a data folder")

    def priced_spans(self, project: str, where: SpanFilter, *, limit: int = 1_000, cursor: str | None = None) -> Page:
        """Return a page of model calls as far as a price depends on them."""
        found = [span for span in self._find(project, where, cursor, oldest_first=True) if span.kind in MODEL_KINDS]
        items = tuple(
            msgspec.structs.replace(
                span, raw=RawSpan(trace_id=span.trace_id, span_id=span.span_id), input=None, output=None
            )
            for span in found[:limit]
        )
        more = len(found) > limit and bool(items)
        return Page(items=items, next_cursor=encode_cursor(_position(items[-1])) if more else None)

    def reprice(self, project: str, changes: Sequence[CostChange]) -> int:
        """Replace costs."""
        with self._lock:
            self._check()
            done = 0
            for one in changes:
                key = (project, one.trace_id, one.span_id)
                span, revision = self._spans.get(key, (None, 0))
                if span is not None and span.cost == one.before:
                    self._spans[key] = msgspec.structs.replace(span, cost=one.after), revision
                    done += 1
            self._revision += 1
            return done

    def count_spans(self, project: str, where: SpanFilter) -> int:
        """Count spans."""
        return len(self._find(project, where, None, oldest_first=True))

    def remap(
        self, project: str, where: SpanFilter, again: MapAnew, *, limit: int = 250, cursor: str | None = None,
        dry_run: bool = False,
    ) -> Remapped:  # fmt: skip
        """Map a page of spans anew."""
        tally = Tally()
        with self._lock:
            found = self._find(project, where, cursor, oldest_first=True)
            keys = [(project, one.trace_id, one.span_id) for one in found[:limit]]
            stored = {key: self._spans[key] for key in keys}
        for key, (span, revision) in stored.items():
            after = again(deepcopy(span))
            names = differing(span, after)
            tally.add(span, after, names)
            with self._lock:
                there = self._spans.get(key, (None, 0))[0] is span
                if there and not dry_run:
                    self._spans[key] = after, revision
                    self._revision += 1
            if not there:
                tally.miss(changed=bool(names))
        return tally.report(encode_cursor(_position(found[limit - 1])) if len(found) > limit else None)

    def hours(self, *, since: int, until: int, source: str) -> tuple[HourRow, ...]:
        """Return what model calls cost by hour, of all projects."""
        with self._lock:
            self._check()
            projects = {span.project for span, _ in self._spans.values()}
            spans = [span for project in projects for span, _ in self._of(project)]
            return hours(spans, since=since, until=until, source=source)

    def erase(self, project: str, selector: Selector, *, dry_run: bool = False) -> ErasureReport:
        """Erase what is selected; with `dry_run` only count it."""
        with self._lock:
            self._check()
            spans = [span for span, _ in self._of(project)]
            traces = chosen_traces(project, selector, spans, self._logs)
            gone = erasure(project, selector, traces, spans, self._scores, self._logs)
            if not dry_run:
                self._erased.update((project, trace) for trace in traces)
                self._delete(gone)
            return gone.report

    def services(self) -> tuple[ServiceRow, ...]:
        """Return every project's services with their oldest span."""
        oldest: dict[tuple[str, str], int] = {}
        with self._lock:
            self._check()
            for span, _ in self._spans.values():
                name = span.project, span.service
                oldest[name] = min(oldest.get(name, span.start_time), span.start_time)
        return tuple(ServiceRow(project=name[0], service=name[1], oldest=oldest[name]) for name in sorted(oldest))

    def expire(self, project: str, service: str, before: int, *, most: int = EXPIRE_MOST) -> ExpiryReport:
        """Delete a service's oldest spans that started before a time."""
        with self._lock:
            self._check()
            gone, report = expiry(project, service, before, most, self._spans, self._scores, self._logs)
            self._delete(gone)
            return report

    def reclaim(self, *, force: bool = False) -> ReclaimReport:  # noqa: ARG002 - the law's
        """Do nothing: there is no file."""
        self._check()
        return ReclaimReport()

    def backup(self, target: Path, *, together: Callable[[], None], progress: Progress) -> BackupReport:  # noqa: ARG002 - the law's
        """Refuse: there is no file."""
        raise CapabilityError("a store in memory has no backups", hint="give it a data folder")

    def erased_traces(self) -> ErasedTraces:
        """Return nothing: the marks are not hashed here, and there is no backup they would be carried to."""
        return ()

    def erase_again(self, marks: ErasedTraces, digests: Collection[str]) -> ErasureReport:  # noqa: ARG002 - the law's
        """Refuse: nothing is restored here."""
        raise CapabilityError("a store in memory has no backups", hint="give it a data folder")

    def kept(self) -> tuple[KeptFile, ...]:
        """Return nothing: what cannot be stored was not acknowledged."""
        return ()

    def expire_kept(self, before: int) -> int:  # noqa: ARG002 - the law's
        """Delete nothing: nothing is kept."""
        return 0

    def drop_kept(self, name: str) -> None:
        """Refuse: nothing is kept."""
        raise NotFoundError(f"nothing was set aside as {name!r}")

    def retry_kept(self, name: str) -> WriteReceipt:
        """Refuse: nothing is kept."""
        raise NotFoundError(f"nothing was set aside as {name!r}")

    def stats(self) -> StoreStats:
        """Return counts and sizes."""
        with self._lock:
            self._check()
            return StoreStats(
                revision=self._revision,
                spans=len(self._spans),
                scores=len(self._scores),
                pending_logs=sum(map(len, self._logs.values())),
                queued=self._queued,
                disk_bytes=0,
                format_version=0,
                queue_limit=self._limit,
            )

    def close(self) -> None:
        """Take no more. Safe to call twice."""
        with self._lock:
            self._open = False

    def _delete(self, gone: Erasure) -> None:
        for kept, keys in ((self._spans, gone.spans), (self._scores, gone.scores), (self._logs, gone.logs)):
            for key in keys:
                del kept[key]  # type: ignore[arg-type]  # each by its own key
        self._revision += 1

    def _check(self) -> None:
        if not self._open:
            raise StoreError("the store is closed")

    def _store(self, batch: WriteBatch) -> tuple[Outcome, ...]:
        outcomes = tuple(self._take(span) for span in batch.spans)
        for project, log in batch.logs:
            if (project, log.trace_id) in self._erased:
                continue
            key = (project, log.trace_id, log.span_id)
            if key in self._spans:
                span, _ = self._spans[key]
                self._amend(key, _only_logs(log.trace_id, log.span_id, [log]), span.received_at)
                continue
            waiting = self._logs.setdefault(key, [])
            if not any(same(log, one) for one in waiting):
                waiting.append(log)
        for score in batch.scores:
            if (score.project, score.trace_id) in self._erased:
                continue
            self._scores[score.project, score.id] = score
        return outcomes

    def _take(self, span: Span) -> Outcome:
        key = (span.project, span.trace_id, span.span_id)
        if key[:2] in self._erased:
            return "erased"
        if key in self._spans:
            return "merged" if self._amend(key, span.raw, span.received_at) else "unchanged"
        self._spans[key] = deepcopy(span), self._revision + 1
        logs = self._logs.pop(key, None)
        if logs:
            self._amend(key, _only_logs(span.trace_id, span.span_id, logs), span.received_at)
        return "inserted"

    def _amend(self, key: _Key, later: RawSpan, received_at: int) -> bool:
        span, revision = self._spans[key]
        merged = merge_raw(span.raw, later)
        if same(merged, span.raw):
            return False
        self._spans[key] = self._refine(key[0], merged, received_at), revision
        return True

    def _of(self, project: str) -> list[tuple[Span, int]]:
        """Return the project's spans with their facts, and the revision each first came in."""
        with self._lock:
            self._check()
            mine = [(span, revision) for (owner, _, _), (span, revision) in self._spans.items() if owner == project]
            best: dict[tuple[str, str], Span] = {}
            for span, _ in mine:
                for name in _FACTS:
                    if getattr(span, name):
                        holder = best.get((span.trace_id, name))
                        if holder is None or _rank(span) < _rank(holder):
                            best[span.trace_id, name] = span
            doubles = _doubles([span for span, _ in mine])
            return [(_fill(span, best, doubles), revision) for span, revision in mine]

    def _with_facts(self, span: Span) -> Span:
        for one, _ in self._of(span.project):
            if (one.trace_id, one.span_id) == (span.trace_id, span.span_id):
                return one
        return span

    def _find(self, project: str, where: SpanFilter, cursor: str | None, *, oldest_first: bool) -> list[Span]:
        after = decode_cursor(SpanPosition, cursor)
        found = [span for span, _ in self._of(project) if matches_span(span, where)]
        found.sort(key=_order, reverse=not oldest_first)
        if after is None:
            return found
        edge = (after.start, after.trace_id, after.span_id)
        return [span for span in found if (_order(span) > edge if oldest_first else _order(span) < edge)]


def _doubles(spans: Sequence[Span]) -> dict[tuple[str, str], str]:
    traces: dict[str, list[Span]] = {}
    for span in spans:
        traces.setdefault(span.trace_id, []).append(span)
    return {(name, own): kept for name, some in traces.items() for own, kept in duplicates_of(some).items()}


def _fill(span: Span, best: dict[tuple[str, str], Span], doubles: dict[tuple[str, str], str]) -> Span:
    lacking: dict[str, Any] = {
        name: getattr(best[span.trace_id, name], name)
        for name in _FACTS
        if not getattr(span, name) and (span.trace_id, name) in best
    }
    if (kept := doubles.get((span.trace_id, span.span_id))) is not None:
        lacking["duplicate_of"] = kept
    return msgspec.structs.replace(span, **lacking) if lacking else span


def _rank(span: Span) -> tuple[bool, int, str]:
    return span.parent_span_id is not None, span.start_time, span.span_id


def _order(span: Span) -> tuple[int, str, str]:
    return span.start_time, span.trace_id, span.span_id


def _position(span: Span) -> SpanPosition:
    return SpanPosition(span.start_time, span.trace_id, span.span_id)


def _only_logs(trace_id: str, span_id: str, logs: list[RawLog]) -> RawSpan:
    return RawSpan(trace_id=trace_id, span_id=span_id, logs=tuple(logs))
