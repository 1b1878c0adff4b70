"""Erasing whole traces: found, deleted and marked in one transaction on the writer's thread."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import duckdb
import msgspec
import numpy as np
import pyarrow as pa

from watchkeeper.kit.errors import StoreError
from watchkeeper.store import codec
from watchkeeper.store.api import ErasureReport, Selector
from watchkeeper.store.duckdb import statements
from watchkeeper.store.duckdb.index import Gone, hash_key
from watchkeeper.store.duckdb.kept import Kept
from watchkeeper.store.duckdb.rows import traces_table
from watchkeeper.store.duckdb.writer import Writer
from watchkeeper.store.selecting import names_user

__all__ = ["Eraser", "left_none", "with_table"]


class Eraser:
    """Erases traces by user, session or id."""

    def __init__(self, writer: Writer, kept: Kept) -> None:
        self._writer = writer
        self._kept = kept

    def erase(self, project: str, selector: Selector, *, dry_run: bool) -> ErasureReport:
        """Erase what is selected; see `SpanStore.erase`."""
        return self._writer.do(lambda db: self._erase(db, project, selector, dry_run=dry_run)).result()

    def on_writer(self, db: duckdb.DuckDBPyConnection, project: str, selector: Selector) -> ErasureReport:
        """Erase what is selected. On the writer's thread."""
        return self._erase(db, project, selector, dry_run=False)

    def _erase(
        self, db: duckdb.DuckDBPyConnection, project: str, selector: Selector, *, dry_run: bool
    ) -> ErasureReport:
        if self._writer.is_behind:
            raise StoreError("something acknowledged is not stored yet", hint="free some space, then erase again")
        traces = dict.fromkeys([*_selected(db, project, selector), *self._kept.traces(project, selector)])
        chosen = traces_table([(hash_key(project, trace_id), project, trace_id) for trace_id in traces])
        found = _Found(db, project, selector, chosen)
        reached = self._kept.reach(project, set(traces), set(found.sessions))
        if not dry_run:
            # The files first: what they name is found once more if this is not the end.
            self._kept.apply(reached)
            if chosen.num_rows or found.scores:
                with self._writer.changes.between(**found.range()):
                    self._delete(db, project, found)
        return msgspec.structs.replace(
            found.report(), set_aside=reached.set_aside, removed=reached.removed, unreached=reached.unreached
        )

    def _delete(self, db: duckdb.DuckDBPyConnection, project: str, found: _Found) -> None:
        now, hashes = time.time_ns(), found.chosen.column("trace_hash").to_pylist()
        sessions = {"project": project, "sessions": found.sessions}
        marks = {"now": now, "revision": self._writer.counts.revision + 1}
        db.execute("BEGIN")
        for statement in statements.DELETE_CHOSEN:
            with_table(db, statement, found.chosen)
        with_table(db, statements.DELETE_CHOSEN_SCORES, found.chosen, sessions)
        with_table(db, statements.INSERT_ERASED, found.chosen, marks)
        db.execute(statements.INSERT_RECLAIM_DUE, {"now": now})
        gone = Gone(
            spans=len(found.spans),
            scores=len(found.scores),
            keys=left_none(db, statements.KEYS_LEFT, [row[0] for row in found.spans], found.range()),
            traces=left_none(db, statements.TRACES_LEFT, hashes),
            score_keys=left_none(db, statements.SCORES_LEFT, [row[0] for row in found.scores]),
            pending_keys=[row[0] for row in found.pending],
        )
        db.execute("COMMIT")
        self._writer.erased.add(hashes, now)
        self._writer.counts.reclaim_due = self._writer.counts.reclaim_due or now
        self._writer.counts.erased += gone.spans
        self._writer.forget(gone)


class _Found:
    """What a selector finds: rows of hashes, times and trace ids, no content."""

    def __init__(self, db: duckdb.DuckDBPyConnection, project: str, selector: Selector, chosen: pa.Table) -> None:
        self.chosen = chosen
        self.spans = with_table(db, statements.CHOSEN_SPANS, chosen)
        emptied = with_table(db, statements.EMPTIED_SESSIONS, chosen, {"project": project})
        self.sessions = [*selector.sessions, *(row[0] for row in emptied)]
        self.scores = with_table(db, statements.CHOSEN_SCORES, chosen, {"project": project, "sessions": self.sessions})
        self.pending = with_table(db, statements.CHOSEN_PENDING, chosen)

    def range(self) -> dict[str, int]:
        starts = [row[1] for row in self.spans]
        return {"low": min(starts, default=0), "high": max(starts, default=0)}

    def report(self) -> ErasureReport:
        traces = {row[2] for row in self.spans} | {row[1] for row in self.scores} | {row[1] for row in self.pending}
        limits = self.range() if self.spans else {"low": None, "high": None}
        return ErasureReport(
            traces=len(traces - {None}), spans=len(self.spans), scores=len(self.scores),
            pending_logs=sum(row[2] for row in self.pending), first=limits["low"], last=limits["high"],
        )  # fmt: skip


def with_table(
    db: duckdb.DuckDBPyConnection, statement: str, chosen: pa.Table, parameters: dict[str, Any] | None = None
) -> list[tuple[Any, ...]]:
    """Run a statement that reads an Arrow table as `chosen`; return its rows."""
    db.register("chosen", chosen)
    try:
        found: list[tuple[Any, ...]] = db.execute(statement, parameters or {}).fetchall()
        return found
    finally:
        db.unregister("chosen")


def _selected(db: duckdb.DuckDBPyConnection, project: str, selector: Selector) -> list[str]:
    """Return the ids of the traces that are selected, stored or only waited for."""
    found: dict[str, None] = dict.fromkeys(selector.traces)
    if selector.users or selector.sessions:
        rows = db.execute(
            statements.SELECTED_TRACES,
            {"project": project, "users": list(selector.users), "sessions": list(selector.sessions)},
        ).fetchall()
        found |= dict.fromkeys(row[0] for row in rows)
    if selector.users:
        for trace_id, text in db.execute(statements.WAITING_LOGS, {"project": project}).fetchall():
            if names_user(codec.decode_log(text), selector.users):
                found[trace_id] = None
    return list(found)


def left_none(
    db: duckdb.DuckDBPyConnection, statement: str, hashes: Sequence[int], limits: dict[str, int] | None = None
) -> np.ndarray:
    """Return the hashes of which no row is left: another key may share one."""
    if not hashes:
        return np.empty(0, dtype=np.uint64)
    rows = with_table(db, statement, pa.table({"hash": pa.array(hashes, pa.uint64())}), limits)
    return np.array(list(set(hashes).difference(row[0] for row in rows)), dtype=np.uint64)
