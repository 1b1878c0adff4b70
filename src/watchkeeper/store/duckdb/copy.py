"""Writing the live rows into a new file while the writer goes on.

The table is read in slices of time, each in a transaction of its own; what is written or deleted
meanwhile is remembered by trace and copied again, in rounds, until little is left. The last round runs
on the writer's thread: there the copy is exactly the store at one commit, and that is all commits wait for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import duckdb
import pyarrow as pa

from watchkeeper.kit.errors import StoreError
from watchkeeper.store.api import Progress
from watchkeeper.store.duckdb import statements
from watchkeeper.store.duckdb.engine import connect, translated
from watchkeeper.store.duckdb.erase import with_table
from watchkeeper.store.duckdb.index import Hashes
from watchkeeper.store.duckdb.reader import Reader
from watchkeeper.store.duckdb.touched import Touched
from watchkeeper.store.duckdb.writer import Writer

__all__ = ["Copier"]

T = TypeVar("T")
_SLICE = 20_000
_BATCH = 2_000
_CHECKPOINT = 200_000
_SMALL = 500
_ROUNDS = 12
_MEMORY_MIB = 256
_REST = 0.2


class Copier:
    """Copies the store. One copy at a time."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer = writer
        self._reader = reader

    def copy(self, target: Path, last: Callable[[], T], progress: Progress, *, same: bool) -> T:
        """Write a copy to `target`, then run `last` on the writer's thread, before the next commit.

        Where it takes the store's place it is the `same` store; else it has a history of its own from here, and its own name.

        Raises:
            StoreError: another copy is under way, or one of the files cannot be used.
        """
        started = self._writer.do(self._begin).result()
        try:
            with self._source() as source, _opened(target) as fresh:
                self._slices(source, fresh, progress)
                for _ in range(_ROUNDS):
                    traces, scores = self._writer.do(lambda _: self._touched().take()).result()
                    self._again(source, fresh, traces, scores)
                    if len(traces) + len(scores) <= _SMALL:
                        break
                # What it has by now is written out here, so that the last step has little to write.
                with translated():
                    fresh.execute(statements.CHECKPOINT)

                def finish(db: duckdb.DuckDBPyConnection) -> T:
                    self._again(db, fresh, *self._touched().take())
                    self._rest(db, fresh, started, same=same)
                    fresh.execute(statements.CHECKPOINT)
                    fresh.close()
                    return last()

                return self._writer.do(finish).result()
        finally:
            self._writer.touched = None

    def _begin(self, _: duckdb.DuckDBPyConnection) -> int:
        if self._writer.touched is not None:
            raise StoreError("the store is being copied already", hint="wait for the backup or the rewrite to end")
        self._writer.touched = Touched()
        return time.time_ns()

    def _touched(self) -> Touched:
        touched = self._writer.touched
        if touched is None:
            raise StoreError("the copy was given up: the store was opened again meanwhile", hint="try again")
        return touched

    @contextmanager
    def _source(self) -> Iterator[duckdb.DuckDBPyConnection]:
        cursor = self._reader.new_cursor()
        try:
            yield cursor
        finally:
            self._reader.drop(cursor)

    def _slices(self, source: duckdb.DuckDBPyConnection, fresh: duckdb.DuckDBPyConnection, progress: Progress) -> None:
        whole = self._writer.counts.spans + self._writer.counts.scores
        parts = max(1, self._writer.counts.spans // _SLICE)
        fractions = [part / parts for part in range(1, parts)]
        with translated():
            edges = source.execute(statements.TIME_EDGES, {"parts": fractions or [0.5]}).fetchall()[0]
        bounds = sorted(set((edges[0] or []) if fractions else []))
        done = since_checkpoint = 0
        for low, high in zip([None, *bounds], [*bounds, None], strict=True):
            began = time.monotonic()
            with translated():
                rows = pour(source, fresh, "spans", *statements.time_slice(low, high))
                since_checkpoint += rows
                if since_checkpoint > _CHECKPOINT:
                    fresh.execute(statements.CHECKPOINT)
                    since_checkpoint = 0
            done += rows
            progress(min(done, whole), whole)
            time.sleep((time.monotonic() - began) * _REST)  # leave the machine to who waits
        with translated():
            done += pour(source, fresh, "scores", statements.ALL_SCORES, {})
        progress(min(done, whole), whole)

    def _again(
        self, source: duckdb.DuckDBPyConnection, fresh: duckdb.DuckDBPyConnection, traces: Hashes, scores: Hashes
    ) -> None:
        with translated():
            for table, hashes, drop, read in (
                ("spans", traces, statements.DROP_TRACES, statements.READ_TRACES),
                ("scores", scores, statements.DROP_SCORES, statements.READ_SCORES),
            ):
                if len(hashes) == 0:
                    continue
                chosen = pa.table({"hash": pa.array(hashes, pa.uint64())})
                with_table(fresh, drop, chosen)
                limits = self._writer.range_of_traces(traces) if table == "spans" else {}
                source.register("chosen", chosen)
                try:
                    pour(source, fresh, table, read, limits)
                finally:
                    source.unregister("chosen")

    @staticmethod
    def _rest(db: duckdb.DuckDBPyConnection, fresh: duckdb.DuckDBPyConnection, started: int, *, same: bool) -> None:
        """Copy the small tables whole. Of what is to be reclaimed only what was erased since the copy began."""
        fresh.execute("DELETE FROM journal")
        if same:
            fresh.execute("DELETE FROM identity")
            pour(db, fresh, "identity", "SELECT * FROM identity", {})
        for table, statement, parameters in (
            ("journal", "SELECT * FROM journal", {}),
            ("pending_logs", "SELECT * FROM pending_logs", {}),
            ("facts_due", "SELECT * FROM facts_due", {}),
            ("erased", "SELECT * FROM erased", {}),
            ("reclaim_due", "SELECT * FROM reclaim_due WHERE since >= $started", {"started": started}),
        ):
            pour(db, fresh, table, statement, parameters)


def pour(
    source: duckdb.DuckDBPyConnection, fresh: duckdb.DuckDBPyConnection, table: str, statement: str,
    parameters: dict[str, int],
) -> int:  # fmt: skip
    """Insert what the statement reads from one engine into a table of another, in bounded memory; return the rows."""
    rows = source.sql(statement, params=parameters or None).to_arrow_reader(_BATCH)
    fresh.register("incoming", rows)
    try:
        done = fresh.execute(statements.insert_into(table)).fetchall()
    finally:
        fresh.unregister("incoming")
    return int(done[0][0])


@contextmanager
def _opened(target: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = connect(target, memory_mib=_MEMORY_MIB)
    try:
        yield connection
    finally:
        connection.close()
