"""Erasing again what was erased elsewhere: in a store that was restored from before the erasure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import Any

import duckdb
import msgspec
import pyarrow as pa

from watchkeeper.store import codec
from watchkeeper.store.api import ErasedTraces, ErasureReport, Selector
from watchkeeper.store.duckdb import statements
from watchkeeper.store.duckdb.erase import Eraser, with_table
from watchkeeper.store.duckdb.index import hash_key
from watchkeeper.store.duckdb.writer import Writer
from watchkeeper.store.selecting import digest, users_of

__all__ = ["Again"]


class Again:
    """Finds what marks and digests stand for, erases it, and keeps the marks."""

    def __init__(self, writer: Writer, eraser: Eraser) -> None:
        self._writer = writer
        self._eraser = eraser

    def marks(self) -> ErasedTraces:
        """Return the hash of every erased trace and when it was erased, ns."""
        return self._writer.do(lambda db: tuple(db.execute(statements.MARKS).fetchall())).result()

    def erase(self, marks: ErasedTraces, digests: Collection[str]) -> ErasureReport:
        """Erase; see `SpanStore.erase_again`."""
        return self._writer.do(lambda db: self._erase(db, marks, frozenset(digests))).result()

    def _erase(self, db: duckdb.DuckDBPyConnection, marks: ErasedTraces, digests: frozenset[str]) -> ErasureReport:
        chosen = _selectors(db, marks, digests)
        reports = [self._eraser.on_writer(db, project, chosen[project]) for project in sorted(chosen)]
        if marks:
            with_table(db, statements.INSERT_MARKS, _marks(marks), {"revision": self._writer.counts.revision})
            self._writer.erased.load(db)
        return _sum(reports)


def _selectors(db: duckdb.DuckDBPyConnection, marks: ErasedTraces, digests: frozenset[str]) -> dict[str, Selector]:
    named = pa.table({"digest": pa.array(sorted(digests), pa.string())})
    hashes = {mark[0] for mark in marks}
    traces = with_table(db, statements.MARKED_TRACES, _marks(marks))
    beside = db.execute(statements.TRACES_BESIDE_SPANS).fetchall() if marks else []
    traces += [row for row in beside if hash_key(*row) in hashes]
    traces += [row for statement in statements.NAMED_TRACES for row in with_table(db, statement, named)]
    sessions = [row for statement in statements.NAMED_SESSIONS for row in with_table(db, statement, named)]
    users = [*with_table(db, statements.NAMED_USERS, named), *_waiting(db, digests)]
    return {
        project: Selector(users=_of(users, project), sessions=_of(sessions, project), traces=_of(traces, project))
        for project in {row[0] for row in (*traces, *sessions, *users)}
    }


def _waiting(db: duckdb.DuckDBPyConnection, digests: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Yield (project, user) of the users that only waiting log records name."""
    for project, text in db.execute(statements.ALL_WAITING_LOGS).fetchall() if digests else ():
        for user in users_of(codec.decode_log(text)):
            if digest(project, "user", user) in digests:
                yield project, user


def _of(rows: list[tuple[Any, ...]], project: str) -> tuple[str, ...]:
    return tuple(sorted({name for owner, name in rows if owner == project}))


def _marks(marks: ErasedTraces) -> pa.Table:
    latest: dict[int, int] = {}
    for hashed, at in marks:
        latest[hashed] = max(at, latest.get(hashed, at))
    return pa.table({"hash": pa.array(latest, pa.uint64()), "erased_at": pa.array(latest.values(), pa.int64())})


def _sum(reports: list[ErasureReport]) -> ErasureReport:
    totals: dict[str, int] = defaultdict(int)
    for report in reports:
        for name in ("traces", "spans", "scores", "pending_logs"):
            totals[name] += getattr(report, name)
    return msgspec.structs.replace(ErasureReport(), **totals)
