"""Mapping anew: read and mapped on the caller's thread, checked and replaced on the writer's, a few spans a turn.

Why so: `docs/adr/0012-mapping-anew.md`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import duckdb
import msgspec
import numpy as np

from watchkeeper.store.anew import MapAnew, Remapped, Tally, differing
from watchkeeper.store.api import SpanFilter
from watchkeeper.store.cursors import SpanPosition, encode_cursor
from watchkeeper.store.duckdb import rows, statements
from watchkeeper.store.duckdb.filters import Query, span_conditions
from watchkeeper.store.duckdb.merge import Key, Plan
from watchkeeper.store.duckdb.reader import Reader
from watchkeeper.store.duckdb.writer import Writer

__all__ = ["Remapper"]

_TURN = 250
"""Spans a commit: some tens of ms, between which ingest has its turn."""

_MARKS = tuple(rows.SPAN_READ.index(name) for name in statements.REMAPPED_BY)


class _Anew(NamedTuple):
    """A span mapped anew, and what must still be stored of it when it is replaced."""

    row: rows.Row
    marks: tuple[Any, ...]
    changed: bool

    @property
    def key(self) -> Key:
        span = self.row.span
        return self.row.key_hash, span.project, span.trace_id, span.span_id


class Remapper:
    """Maps stored spans anew."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    def count(self, project: str, where: SpanFilter) -> int:
        """Count spans; see `SpanStore.count_spans`."""
        query = Query(statements.COUNT_SPANS)
        if where.trace_id is not None and not self._reader.within(query, project, where.trace_id):
            return 0
        return int(self._reader.fetch(span_conditions(query, project, where))[0][0])

    def remap(
        self, project: str, where: SpanFilter, again: MapAnew, *, limit: int, cursor: str | None, dry_run: bool
    ) -> Remapped:
        """Map a page anew; see `SpanStore.remap`."""
        found = self._reader.read_spans(statements.SPANS, project, where, limit + 1, cursor, oldest_first=True)
        tally = Tally()
        mapped: list[_Anew] = []
        then = None
        for values in found[:limit]:
            row = rows.row_of(values)
            before = row.span
            row.span = msgspec.structs.replace(again(before), duplicate_of=before.duplicate_of)
            names = differing(before, row.span)
            tally.add(before, row.span, names)
            if names or before.mapper != row.span.mapper:
                mapped.append(_Anew(row, tuple(values[at] for at in _MARKS), bool(names)))
            then = SpanPosition(before.start_time, before.trace_id, before.span_id)
        for at in range(0, 0 if dry_run else len(mapped), _TURN):
            some = mapped[at : at + _TURN]
            for one in self._writer.do(lambda db, some=some: self._write(db, some)).result():  # type: ignore[misc]
                tally.miss(changed=one.changed)
        return tally.report(encode_cursor(then) if then is not None and len(found) > limit else None)

    def _write(self, db: duckdb.DuckDBPyConnection, mapped: Sequence[_Anew]) -> list[_Anew]:
        """Replace those that are what was read; return the others."""
        keys = [one.key for one in mapped]
        hashes = np.array([key[0] for key in keys], dtype=np.uint64)
        limits = self._writer.range_of_keys(hashes)
        stored = {row[:4]: row[4:] for row in self._with(db, keys, statements.STORED_MARKS, limits)}
        there = [one for one in mapped if stored.get(one.key) == one.marks]
        changed = [one for one in there if one.changed]
        if changed:
            plan = Plan(self._writer.counts.revision + 1)
            plan.rows = [one.row for one in changed]
            plan.replaced = [one.key for one in changed]
            # What the trace gives its spans may be another by now: it is worked out once more.
            plan.due = list({(one.row.trace_hash, one.key[1], one.key[2]): None for one in changed})
            self._writer.commit(plan)
        same = [one for one in there if not one.changed]
        if same:
            self._writer.touch(traces=np.array([one.row.trace_hash for one in same], dtype=np.uint64))
            versions = {"mapper": same[0].row.span.mapper}
            self._with(db, [one.key for one in same], statements.SET_MAPPER, {**limits, **versions})
            self._writer.counts.revision += 1
        kept = {one.key for one in there}
        return [one for one in mapped if one.key not in kept]

    def _with(
        self, db: duckdb.DuckDBPyConnection, keys: Sequence[Key], statement: str, parameters: dict[str, int]
    ) -> list[tuple[Any, ...]]:
        db.register("keys", rows.keys_table(keys))
        try:
            return db.execute(statement, parameters).fetchall()
        finally:
            db.unregister("keys")
