"""Pricing anew: what a price depends on is read without content, and only cost columns are written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb
import msgspec
import numpy as np
import pyarrow as pa

from watchkeeper.model import Cost, RawSpan, Span, Usage
from watchkeeper.store.api import CostChange, HourRow, Page, SpanFilter
from watchkeeper.store.cursors import SpanPosition, encode_cursor
from watchkeeper.store.duckdb import statements
from watchkeeper.store.duckdb.filters import Query
from watchkeeper.store.duckdb.index import Hashes, hash_key
from watchkeeper.store.duckdb.reader import Reader
from watchkeeper.store.duckdb.rows import COST_COLUMNS
from watchkeeper.store.duckdb.writer import Writer

__all__ = ["Repricer"]

_USAGE = tuple(Usage.__struct_fields__)


class Repricer:
    """Reads model calls as far as a price depends on them, and replaces their costs."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    def priced_spans(self, project: str, where: SpanFilter, *, limit: int, cursor: str | None) -> Page:
        """Return a page of bare spans; see `SpanStore.priced_spans`."""
        found = self._reader.read_spans(statements.PRICED_SPANS, project, where, limit + 1, cursor, oldest_first=True)
        items = tuple(_bare(project, values) for values in found[:limit])
        if len(found) <= limit or not items:
            return Page(items=items)
        last = items[-1]
        return Page(items=items, next_cursor=encode_cursor(SpanPosition(last.start_time, last.trace_id, last.span_id)))

    def reprice(self, project: str, changes: Sequence[CostChange]) -> int:
        """Replace costs; see `SpanStore.reprice`."""
        if not changes:
            return 0
        table = _table(project, changes)
        starts = [change.start_time for change in changes]
        limits = {"low": min(starts), "high": max(starts)}
        traces = np.array(sorted({hash_key(project, change.trace_id) for change in changes}), dtype=np.uint64)
        return self._writer.do(lambda db: self._update(db, table, limits, traces)).result()

    def hours(self, *, since: int, until: int, source: str) -> tuple[HourRow, ...]:
        """Return costs by the hour; see `SpanStore.hours`."""
        found = self._reader.fetch(Query(statements.HOURS, since=since, until=until, source=source))
        return tuple(HourRow(**dict(zip(HourRow.__struct_fields__, row, strict=True))) for row in found)

    def _update(self, db: duckdb.DuckDBPyConnection, table: pa.Table, limits: dict[str, int], traces: Hashes) -> int:
        self._writer.touch(traces=traces)  # a copy of the store under way takes the new costs too
        db.register("changes", table)
        try:
            with self._writer.changes.between(limits["low"], limits["high"]):
                row = db.execute(statements.REPRICE, limits).fetchone()  # one statement commits by itself
        finally:
            db.unregister("changes")
        self._writer.counts.revision += 1
        return int(row[0]) if row is not None else 0


def _bare(project: str, values: Sequence[Any]) -> Span:
    row = dict(zip(statements.PRICED_READ, values, strict=True))
    cost = None
    if row["cost_state"] is not None:
        cost = Cost(
            state=row["cost_state"], nano=row["cost_nano"], currency=row["currency"], nano_usd=row["cost_nano_usd"],
            source=row["price_source"], version=row["price_version"], reason=row["cost_reason"],
            detail=msgspec.json.decode(row["cost_detail"]) if row["cost_detail"] else {},
        )  # fmt: skip
    return Span(
        project=project, trace_id=row["trace_id"], span_id=row["span_id"], service=row["service"], kind=row["kind"],
        start_time=row["start_ns"], provider=row["provider"], model=row["model"], request_model=row["request_model"],
        response_model=row["response_model"], usage=Usage(**{name: row[name] for name in _USAGE}), cost=cost,
        parameters=msgspec.json.decode(row["parameters"]) if row["parameters"] else {},
        endpoint_host=row["endpoint_host"], region=row["region"], duration_ns=row["duration_ns"],
        raw=RawSpan(trace_id=row["trace_id"], span_id=row["span_id"]),
    )  # fmt: skip


def _table(project: str, changes: Sequence[CostChange]) -> pa.Table:
    columns: dict[str, Any] = {
        "key_hash": pa.array([hash_key(project, one.trace_id, one.span_id) for one in changes], pa.uint64()),
        "trace_id": [one.trace_id for one in changes],
        "span_id": [one.span_id for one in changes],
        "project": [project] * len(changes),
    }
    for column, kind, get in COST_COLUMNS:
        columns[column] = pa.array([get(one.after) for one in changes], kind)
        columns[f"old_{column}"] = pa.array([get(one.before) if one.before else None for one in changes], kind)
    return pa.table(columns)
