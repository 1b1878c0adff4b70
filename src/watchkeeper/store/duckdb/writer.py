"""The one writer: a thread that commits what waits, copies trace facts, and checkpoints when idle."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from itertools import chain
from pathlib import Path
from typing import Any, Protocol, TypeVar

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from watchkeeper.kit.errors import StoreError, StoreFullError, WatchkeeperError
from watchkeeper.model import RawLog
from watchkeeper.store import codec
from watchkeeper.store.api import Outcome, Refine, WriteBatch, WriteReceipt
from watchkeeper.store.duckdb import rows as tables
from watchkeeper.store.duckdb import statements
from watchkeeper.store.duckdb.cache import BlockCache
from watchkeeper.store.duckdb.changes import Changes
from watchkeeper.store.duckdb.counts import Counts
from watchkeeper.store.duckdb.engine import is_poisoned, translated
from watchkeeper.store.duckdb.index import Gone, Hashes, KeyIndex, Times, edges
from watchkeeper.store.duckdb.journal import Journal
from watchkeeper.store.duckdb.merge import Key, Plan, fold
from watchkeeper.store.duckdb.rows import Row
from watchkeeper.store.duckdb.tombstones import Tombstones
from watchkeeper.store.duckdb.touched import Touched
from watchkeeper.store.duckdb.twice import calls_told_twice
from watchkeeper.store.queue import Job, WriteQueue

__all__ = ["Readers", "Writer"]

T = TypeVar("T")
_log = logging.getLogger(__name__)
_COMMIT_BYTES = 16 << 20
_FOLD_BYTES = 12 << 20
_FOLD_EVERY = 0.25
_FACTS_DELAY = 0.4
_IDLE = 1.0
_RECOVERY = 10.0
_AGAIN = 0.5
_TRIES = 5
_WAL_IDLE = 16 << 20
_WAL_MOST = 128 << 20
_ALL = (-(2**63), 2**63 - 1)


class Readers(Protocol):
    """Who reads from the connection, and must hear of another."""

    def pause(self, *, stop: bool) -> None:
        """Let no new read begin."""
        ...

    def resume(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Read from this connection from now on."""
        ...


class Writer:
    """Owns the writing connection and the key indexes. Every method but `start` and `stop` runs on its thread."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, path: Path, refine: Refine, queue: WriteQueue, journal: Journal
    ) -> None:
        self._db = connection
        self._journal = journal
        self._wal = Path(f"{path}.wal")
        self._refine = refine
        self._queue = queue
        self.counts = Counts()
        self.changes = Changes()
        self._keys = KeyIndex()
        self._traces = KeyIndex()
        self._scores = KeyIndex()
        self._pending: dict[int, int] = {}
        self.erased = Tombstones()
        self._facts_due = False
        self._facts_at = 0.0
        self._last_write = time.monotonic()
        self._folded = 0
        self._ripe = 0.0
        self._again: list[Job] = []
        self._again_at = 0.0
        self._broken: StoreError | None = None
        self._thread = threading.Thread(target=self._run, name="watchkeeper-writer", daemon=True)
        self.touched: Touched | None = None
        self.cache: BlockCache | None = None
        self.interrupt_readers: Callable[[], None] = lambda: None  # no readers yet
        self.readers: Readers | None = None
        self.open_again: Callable[[], duckdb.DuckDBPyConnection] | None = None

    def start(self) -> None:
        """Read what is there, heal what a crash left undone, then begin to write."""
        with translated():
            self._load()
            if self._facts_due:
                self._copy_facts()
            left = self._journal.recover(self._folded, self._db.execute(statements.IDENTITY).fetchall()[0][0])
            first = next(left, None)  # a journal that is not ours is refused before the thread is there
        self._thread.start()
        try:
            self._replay(left if first is None else chain([first], left))
        except Exception:
            self.stop()
            raise
        if self._facts_due:
            self.do(lambda _: self._tend("copy trace facts", self._copy_facts)).result()

    def _replay(self, left: Iterator[tuple[int, WriteBatch]]) -> None:
        """Store what the journal still held, in its order, no more of it in memory than the queue may hold.

        Where that is not possible (a full disk) it goes on waiting in the queue, and the start goes on without it.
        """
        patience = _RECOVERY
        with translated():
            for entry, batch in left:
                patience = patience if self._queue.adopt(batch, entry, patience) else 0.0
        # What the journal brings, and the facts that are due for it, are there before anybody reads.
        if self._queue.settle(patience) and self._journal.last > self._folded:
            self.do(lambda _: self._note_folded(self._journal.last)).result()

    def _note_folded(self, entry: int) -> None:
        """Note that nothing up to this entry is waited for: what was set aside must not come again."""
        self._db.execute(statements.SET_FOLDED, {"entry": entry})
        self._folded = entry

    def stop(self) -> None:
        """Drain the queue, then end the thread."""
        self._queue.close()
        self._thread.join()

    def close(self) -> None:
        """Write the log into the file and close the connection. Once the thread and the readers have ended."""
        if self._broken is None:
            self._tend("checkpoint", self._checkpoint)
        self._db.close()
        self._journal.close(self._folded)

    def do(self, work: Callable[[duckdb.DuckDBPyConnection], T]) -> Future[T]:
        """Run work on the writer's thread and connection, in its turn, between commits. Any thread may ask."""
        return self._queue.put_work(lambda: work(self._db))

    def range_of_trace(self, trace_hash: int) -> tuple[int, int] | None:
        """Return the earliest and latest start time of a trace's spans, None where there are none. Any thread."""
        found, low, high = self._traces.find(np.array([trace_hash], dtype=np.uint64))
        return (int(low[0]), int(high[0])) if found[0] else None

    def _load(self) -> None:
        db = self._db
        keys = db.execute(statements.KEYS).fetchnumpy()
        self._keys.add(_u64(keys["key_hash"]), _i64(keys["start_ns"]))
        traces = db.execute(statements.TRACES).fetchnumpy()
        for edge in ("low", "high"):
            self._traces.add(_u64(traces["trace_hash"]), _i64(traces[edge]))
        scores = db.execute(statements.SCORE_KEYS).fetchnumpy()
        self._scores.add(_u64(scores["id_hash"]), _i64(scores["time_ns"]))
        self._pending = dict(db.execute(statements.PENDING_KEYS).fetchall())
        self.erased.load(db)
        self.counts.revision = _scalar(db, statements.REVISION)
        self._folded = _scalar(db, statements.FOLDED)
        self.counts.reclaim_due = db.execute(statements.RECLAIM_DUE).fetchall()[0][0]
        self.counts.spans = len(self._keys)
        self.counts.scores = len(self._scores)
        self.counts.pending_logs = sum(self._pending.values())
        self._facts_due = bool(db.execute(statements.DUE_TRACES).fetchall())

    def _run(self) -> None:
        while True:
            jobs = self._queue.take(
                most=_COMMIT_BYTES, patience=self._patience(), ripe=self._ripe, enough=_FOLD_BYTES
            )  # fmt: skip
            if self._again and (time.monotonic() >= self._again_at or self._queue.closed):
                again, self._again = self._again, []
                self._settle(again)
            if jobs:
                self._ripe = time.monotonic() + _FOLD_EVERY
                if jobs[0].work is not None:
                    self._work(jobs[0], jobs[0].work)
                else:
                    self._settle(self._in_turn(jobs))
                self._last_write = time.monotonic()
            if self._broken is not None:
                self._reopen()
            closing = not jobs and self._queue.closed
            if self._facts_due and (closing or time.monotonic() >= self._facts_at):
                self._tend("copy trace facts", self._copy_facts)
            if closing:
                return
            quiet = not jobs and time.monotonic() - self._last_write >= _IDLE
            self.trim(idle=quiet)
            if self._wants_checkpoint(quiet=quiet):
                self._tend("checkpoint", self._checkpoint)

    def _in_turn(self, jobs: list[Job]) -> list[Job]:
        """Return what can be stored now: nothing may overtake what must be tried again, or older values would win."""
        if self._again:
            self._again.extend(jobs)
            return []
        return jobs

    def _patience(self) -> float:
        until = [at for at, due in ((self._facts_at, self._facts_due), (self._again_at, bool(self._again))) if due]
        return max(0.0, min(until) - time.monotonic()) if until else _IDLE

    def trim(self, *, idle: bool) -> None:
        """Delete the journal's segments that are stored; the open one only when it is `idle`, or old."""
        try:
            self._journal.trim(self._folded, idle=idle)
        except OSError as error:
            _log.warning("the journal could not be trimmed: %s", error)

    def _settle(self, jobs: list[Job]) -> None:
        """Store these and keep their promises; what the journal holds and may still be stored is tried again."""
        fresh = [job for job in jobs if not 0 < job.entry <= self._folded]
        if len(fresh) < len(jobs):  # the engine failed after the commit that brought them
            self._keep([job for job in jobs if 0 < job.entry <= self._folded], None)
        if not fresh:
            return
        try:
            receipts = self._try(fresh)
        except Exception as error:  # noqa: BLE001 - whatever it is, the promises must be settled
            lasting = not isinstance(error, WatchkeeperError | MemoryError)  # our own fault: it will fail again
            self._failed(fresh, self._explain(error), _TRIES if lasting else 1)
            return
        self._keep(fresh, receipts)

    def _keep(self, jobs: list[Job], receipts: list[WriteReceipt] | None) -> None:
        for at, job in enumerate(jobs):
            known: list[Outcome] = ["unchanged"] * len(job.batch.parcel or job.batch.spans)
            job.future.set_result(WriteReceipt(outcomes=tuple(known)) if receipts is None else receipts[at])
        self._queue.done(jobs)

    def _failed(self, jobs: list[Job], failure: WatchkeeperError, tries: int) -> None:
        stuck = self._broken is not None or isinstance(failure, StoreFullError)
        if len(jobs) > 1 and not stuck:
            for job in jobs:  # one bad batch must not fail its neighbours
                self._settle(self._in_turn([job]))
            return
        for job in jobs:
            job.tries += tries
            if job.entry and (stuck or job.tries < _TRIES):
                self._later(job)
            else:
                self._refuse(job, failure)

    def _later(self, job: Job) -> None:
        self._again.append(job)
        self._again_at = time.monotonic() + _AGAIN

    def _refuse(self, job: Job, failure: WatchkeeperError) -> None:
        if job.entry:
            try:
                where = self._journal.set_aside(job.entry, job.batch)
            except OSError as error:
                _log.warning("could not set aside what cannot be stored: %s", error)
                self._later(job)
                return
            _log.error("an acknowledged export cannot be stored and is kept in %s: %s", where, failure)
            self._tend("note what was set aside", lambda: self._note_folded(max(self._folded, job.entry)))
        job.future.set_exception(failure)
        self._queue.done([job])

    def _work(self, job: Job, work: Callable[[], None]) -> None:
        try:
            self._check()
            with translated():
                work()
        except Exception as error:  # noqa: BLE001 - as above
            job.future.set_exception(self._explain(error))
        self._queue.done([job])

    @property
    def is_behind(self) -> bool:
        """Say whether something acknowledged could not be stored yet."""
        return bool(self._again)

    def _check(self) -> None:
        if self._broken is not None:
            raise self._broken

    def _explain(self, error: Exception) -> WatchkeeperError:
        self._rollback()
        if self._broken is None and (is_poisoned(error) or is_poisoned(error.__cause__ or error)):
            self._broken = StoreError("the store failed and must be opened again", hint="restart the server")
        if isinstance(error, WatchkeeperError):
            return error
        _log.error("a commit failed", exc_info=error)
        return StoreError(f"a commit failed: {error}")

    def _try(self, jobs: list[Job]) -> list[WriteReceipt]:
        self._check()
        started = time.perf_counter_ns()
        revision = self.counts.revision + 1
        with translated():
            batches, sifted = self.erased.sift([job.batch for job in jobs])
            plan = fold(batches, self, self._refine, revision)
            self.commit(plan, max((job.entry for job in jobs), default=0))
        took = time.perf_counter_ns() - started
        self.counts.commits.add(took)
        return [WriteReceipt(outcomes=outcomes, commit_ns=took) for outcomes in sifted.outcomes(plan.outcomes)]

    def commit(self, plan: Plan, entry: int = 0) -> None:
        """Write what is planned, durably, and with it that the journal is stored up to `entry`. On the writer's thread."""
        self._index(plan)
        with self.changes.writing(*self._starts(plan)):
            try:
                new_scores = self._write(plan, entry)
            except duckdb.OutOfMemoryException:
                # A user's query may have taken the memory: it goes, not the write.
                self._rollback()
                self.interrupt_readers()
                new_scores = self._write(plan, entry)
        self._folded = max(self._folded, entry)
        self._account(plan, plan.revision, new_scores)

    def _index(self, plan: Plan) -> None:
        # Before the commit: an entry too many is harmless, one too few would hide a stored span.
        columns = [
            (_column(table, "key_hash"), _column(table, "trace_hash"), _column(table, "start_ns"))
            for table in plan.tables
        ]
        if plan.rows:
            starts = _i64([_clamp(row.span.start_time) for row in plan.rows])
            columns.append(
                (_u64([row.key_hash for row in plan.rows]), _u64([row.trace_hash for row in plan.rows]), starts)
            )
        if not columns:
            return
        keys, traces, starts = (np.concatenate(some) for some in zip(*columns, strict=True))
        self._keys.add(keys, starts)
        self._traces.add(*edges(traces, starts))
        self.touch(traces=traces)

    def _starts(self, plan: Plan) -> tuple[Times, Times]:
        """Return where the rows that this plan writes and replaces start, as ranges."""
        starts = [_column(table, "start_ns") for table in plan.tables]
        starts.append(_i64([_clamp(row.span.start_time) for row in plan.rows]))
        _, low, high = self._keys.find(_u64([key[0] for key in plan.replaced]))
        return np.concatenate((*starts, low)), np.concatenate((*starts, high))

    def _write(self, plan: Plan, entry: int) -> int:
        db = self._db
        db.execute("BEGIN")
        if entry:
            db.execute(statements.SET_FOLDED, {"entry": entry})
        if plan.replaced:
            self._with("keys", tables.keys_table(plan.replaced), statements.DELETE_SPANS, self._range(plan.replaced))
        if plan.tables:
            # In one chunk: the engine's price is by the chunk (2,500 rows: 17 to 24 us of CPU a row, in 25 chunks 39).
            whole = pa.concat_tables(plan.tables).combine_chunks()
            self._with("incoming", whole, statements.INSERT_SPANS, {"revision": plan.revision})
        if plan.rows:
            self._with("incoming", tables.amended_table(plan.rows), statements.INSERT_ROWS)
        if plan.joined:
            self._with("keys", tables.keys_table(plan.joined), statements.DELETE_PENDING)
        if plan.pending:
            self._with("incoming", tables.logs_table(plan.pending), statements.INSERT_PENDING)
        if plan.due:
            self._with("incoming", tables.traces_table(plan.due), statements.INSERT_DUE)
        new_scores = self._write_scores(plan) if plan.scores else 0
        db.execute("COMMIT")
        return new_scores

    def _write_scores(self, plan: Plan) -> int:
        scores = list(plan.scores.values())
        hashes = _u64([hashed for hashed, _ in scores])
        self.touch(scores=hashes)
        found, low, high = self._scores.find(hashes)
        table = tables.scores_table(scores)
        replaced = 0
        if found.any():
            limits = {"low": int(low[found].min()), "high": int(high[found].max())}
            replaced = int(self._with("incoming", table, statements.DELETE_SCORES, limits)[0][0])
        self._with("incoming", table, statements.INSERT_SCORES)
        self._scores.add(hashes, _i64([_clamp(score.time) for _, score in scores]))
        return len(scores) - replaced

    def _account(self, plan: Plan, revision: int, new_scores: int) -> None:
        counts = self.counts
        for key, _ in plan.pending:
            self._pending[key[0]] = self._pending.get(key[0], 0) + 1
        gone = sum(self._pending.pop(key[0], 0) for key in plan.joined)
        counts.pending_logs += len(plan.pending) - gone
        counts.spans += plan.new_spans
        counts.scores += new_scores
        counts.revision = revision
        if plan.due:
            self.expect_facts()

    def expect_facts(self) -> None:
        """Work out soon what spans of due traces share. On the writer's thread."""
        if not self._facts_due:
            self._facts_due = True
            self._facts_at = time.monotonic() + _FACTS_DELAY

    def _copy_facts(self) -> None:
        hashes = [row[0] for row in self._db.execute(statements.DUE_TRACES).fetchall()]
        self.touch(traces=_u64(hashes))
        found, low, high = self._traces.find(_u64(hashes))
        edges_of = (int(low.min()), int(high.max())) if hashes and found.all() else _ALL
        limits = dict(zip(("low", "high"), edges_of, strict=True))
        twice = calls_told_twice(self._db, limits)
        starts = _i64([]) if twice is None else twice.starts
        with self.changes.writing(starts, starts):
            self._db.execute("BEGIN")
            self._db.execute(statements.COPY_FACTS, limits)
            if twice is not None:
                self._with("keys", twice.table, statements.SET_DUPLICATES, limits)
            self._db.execute(statements.DELETE_DUE)
            self._db.execute("COMMIT")
        self._facts_due = False
        self.counts.revision += 1

    def touch(self, *, traces: Hashes | None = None, scores: Hashes | None = None) -> None:
        """Remember what changes, where the store is being copied. On the writer's thread."""
        if self.touched is not None:
            if traces is not None:
                self.touched.traces.append(traces)
            if scores is not None:
                self.touched.scores.append(scores)

    def range_of_traces(self, hashes: Hashes) -> dict[str, int]:
        """Return the earliest and latest start time of these traces' spans as `low` and `high`. Any thread."""
        found, low, high = self._traces.find(hashes)
        return {"low": int(low[found].min()), "high": int(high[found].max())} if found.any() else {"low": 0, "high": 0}

    def range_of_keys(self, hashes: Hashes) -> dict[str, int]:
        """Return the earliest and latest start time these keys may be stored with. On the writer's thread."""
        found, low, high = self._keys.find(hashes)
        return {"low": int(low[found].min()), "high": int(high[found].max())} if found.any() else {"low": 0, "high": 0}

    @property
    def is_broken(self) -> bool:
        """Say whether the engine failed and is not open again yet."""
        return self._broken is not None

    def move(self, exchange: Callable[[], None]) -> None:
        """Let go of the file, exchange it, and open it again; reads that run end undisturbed. On the writer's thread."""
        if self.readers is None or self.open_again is None:
            raise StoreError("this store cannot be exchanged")
        self.readers.pause(stop=False)
        old = self._db
        try:
            for statement in statements.DETACH:
                old.execute(statement)
            exchange()
            self._db = self.open_again()
            self.counts.reclaim_due = self._db.execute(statements.RECLAIM_DUE).fetchall()[0][0]
        except Exception as error:
            self._broken = StoreError(f"the store must be opened again: {error}", hint="it is tried every second")
            raise
        # Not closed: that would close its cursors too, and a read may still be running on one.
        self.readers.resume(self._db)

    def _reopen(self) -> None:
        """Open the store anew after the engine gave up: everything acknowledged is in the file and its log."""
        if self.readers is None or self.open_again is None:
            return
        self.readers.pause(stop=True)
        self._db.close()
        self.touched = None
        self.changes.everything()
        try:
            self._db = self.open_again()
            self._keys, self._traces, self._scores = KeyIndex(), KeyIndex(), KeyIndex()
            with translated():
                self._load()
        except StoreError as error:
            _log.warning("the store cannot be opened yet: %s", error.message)
            self._broken = error if isinstance(error, StoreFullError) else self._broken
            return
        self._broken = None
        self.readers.resume(self._db)
        _log.warning("the store was opened again")

    def forget(self, gone: Gone) -> None:
        """Take what was erased, and committed so, out of the counts and the indexes. On the writer's thread."""
        counts = self.counts
        counts.revision += 1
        counts.spans -= gone.spans
        counts.scores -= gone.scores
        counts.pending_logs -= sum(self._pending.pop(key, 0) for key in gone.pending_keys)
        self.touch(traces=gone.touched if len(gone.touched) else gone.traces, scores=gone.score_keys)
        self._keys.remove(gone.keys)
        self._traces.remove(gone.traces)
        self._scores.remove(gone.score_keys)

    def _wants_checkpoint(self, *, quiet: bool) -> bool:
        try:
            size = self._wal.stat().st_size
        except OSError:
            return False
        return size > _WAL_MOST or (quiet and size > _WAL_IDLE)

    def _checkpoint(self) -> None:
        started = time.perf_counter_ns()
        self._db.execute(statements.CHECKPOINT)
        if self.cache is not None:
            self.cache.trim(self._db)
        self.counts.checkpoints.add(time.perf_counter_ns() - started)

    def _tend(self, what: str, work: Callable[[], None]) -> None:
        """Do what nobody waits for: a failure is logged, and it is tried again later."""
        try:
            with translated():
                work()
        except WatchkeeperError as error:
            self._explain(error)
            self._facts_at = time.monotonic() + _IDLE
            _log.warning("could not %s: %s", what, error)
            time.sleep(0.05)

    def _rollback(self) -> None:
        try:
            self._db.execute("ROLLBACK")
        except duckdb.Error:
            _log.debug("nothing to roll back")

    # What `merge.fold` asks of the store.

    def known(self, hashes: Hashes) -> NDArray[np.bool_]:
        """Say for each key hash whether a span of it may be stored, or log records wait for one."""
        found = self._keys.has(hashes)
        if self._pending:
            found |= np.isin(hashes, np.fromiter(self._pending, dtype=np.uint64, count=len(self._pending)))
        return found

    def heads(self, keys: Sequence[Key]) -> dict[Key, bytes]:
        """Return the fingerprints of those that are stored."""
        found, _, _ = self._keys.find(_u64([key[0] for key in keys]))
        known = [key for key, hit in zip(keys, found, strict=True) if hit]
        if not known:
            return {}
        stored = self._with("keys", tables.keys_table(known), statements.STORED_HEADS, self._range(known))
        return {(row[0], row[1], row[2], row[3]): row[4] for row in stored}

    def rows(self, keys: Sequence[Key]) -> dict[Key, Row]:
        """Return the rows of those that are stored."""
        stored = self._with("keys", tables.keys_table(keys), statements.STORED_SPANS, self._range(keys))
        found = [tables.row_of(values) for values in stored]
        return {(row.key_hash, row.span.project, row.span.trace_id, row.span.span_id): row for row in found}

    def pending(self, keys: Sequence[Key]) -> dict[Key, list[RawLog]]:
        """Return the log records that wait for these spans."""
        waiting = [key for key in keys if key[0] in self._pending]
        if not waiting:
            return {}
        stored = self._with("keys", tables.keys_table(waiting), statements.PENDING_LOGS)
        by_name = {key[1:]: key for key in waiting}
        found: dict[Key, list[RawLog]] = {}
        for project, trace_id, span_id, text in stored:
            found.setdefault(by_name[project, trace_id, span_id], []).append(codec.decode_log(text))
        return found

    def knows_trace(self, hashes: Hashes) -> NDArray[np.bool_]:
        """Say for each trace hash whether spans of it may be stored."""
        return self._traces.has(hashes)

    def _range(self, keys: Sequence[Key]) -> dict[str, int]:
        return self.range_of_keys(_u64([key[0] for key in keys]))

    def _with(
        self, name: str, table: pa.Table, statement: str, limits: dict[str, int] | None = None
    ) -> list[tuple[Any, ...]]:
        self._db.register(name, table)
        try:
            found: list[tuple[Any, ...]] = self._db.execute(statement, limits or {}).fetchall()
            return found
        finally:
            self._db.unregister(name)


def _u64(values: Sequence[int] | np.ndarray) -> np.ndarray:
    return np.asarray(values, dtype=np.uint64)


def _i64(values: Sequence[int] | np.ndarray) -> np.ndarray:
    return np.asarray(values, dtype=np.int64)


def _column(table: pa.Table, name: str) -> np.ndarray:
    found: np.ndarray = table.column(name).to_numpy()
    return found


def _clamp(value: int) -> int:
    return max(_ALL[0], min(_ALL[1], value))


def _scalar(db: duckdb.DuckDBPyConnection, statement: str) -> int:
    row = db.execute(statement).fetchone()
    return int(row[0]) if row is not None else 0
