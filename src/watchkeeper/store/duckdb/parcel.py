"""Spans packed as the columns of the table, away from the writer: on any thread, or in another process.

A parcel carries what the writer needs to decide (key hashes, trace hashes, start times) as numpy
arrays and all else as Arrow columns that go into the table as they are. Only a span that meets its
own key again is ever turned back into an object.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from watchkeeper.model import Span
from watchkeeper.store.api import WriteBatch
from watchkeeper.store.doubles import duplicates_of
from watchkeeper.store.duckdb.index import hash_key
from watchkeeper.store.duckdb.rows import FACT_BITS, SPAN_READ, Row, encode, row_of, spans_table

__all__ = ["Parcel", "names_trace", "pack", "unpack"]

_LATER = ("duplicate_of",)
"""Columns that parcels of an earlier format lack."""

_facts = attrgetter(*(name for name, _ in FACT_BITS))


class Parcel:
    """Spans as columns. `len` counts them; arrays are in their order. `packed` is the Arrow stream it was read from."""

    __slots__ = ("_packed", "key_hash", "start", "table", "trace_hash")

    def __init__(self, table: pa.Table, packed: pa.Buffer | None = None) -> None:
        self.table = table
        self._packed = packed
        self.key_hash: NDArray[np.uint64] = _numbers(table, "key_hash")
        self.trace_hash: NDArray[np.uint64] = _numbers(table, "trace_hash")
        self.start: NDArray[np.int64] = _numbers(table, "start_ns")

    def __len__(self) -> int:
        """Count the spans."""
        return int(self.table.num_rows)

    def names(self, at: NDArray[np.intp]) -> list[tuple[int, str, str, str]]:
        """Return (key hash, project, trace id, span id) of the spans at these places."""
        some = self.table.select(["key_hash", "project", "trace_id", "span_id"]).take(at)
        return list(zip(*(column.to_pylist() for column in some.columns), strict=True))

    def traces(self, at: NDArray[np.intp]) -> list[tuple[int, str, str]]:
        """Return (trace hash, project, trace id) of the spans at these places."""
        some = self.table.select(["trace_hash", "project", "trace_id"]).take(at)
        return list(zip(*(column.to_pylist() for column in some.columns), strict=True))

    def fingerprint(self, at: int) -> bytes:
        """Return the fingerprint of the span at a place."""
        found: bytes = self.table.column("fingerprint")[at].as_py()
        return found

    def row(self, at: int, revision: int) -> Row:
        """Return the span at a place as a row that can be amended."""
        one = self.table.slice(at, 1)
        return row_of([revision if name == "revision" else one.column(name)[0].as_py() for name in SPAN_READ])

    def without(self, places: NDArray[np.intp]) -> pa.Table:
        """Return the table without the spans at these places."""
        if len(places) == 0:
            return self.table
        keep = np.ones(len(self), dtype=np.bool_)
        keep[places] = False
        return self.table.filter(pa.array(keep))

    def to_bytes(self) -> pa.Buffer:
        """Return the parcel as an Arrow stream."""
        if self._packed is not None:
            return self._packed
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, self.table.schema) as stream:
            stream.write_table(self.table)
        return sink.getvalue()


def pack(spans: Sequence[Span]) -> Parcel:
    """Pack spans, filling the facts that spans of one trace share; a trace that is known already is mended later."""
    resources: dict[int, str] = {}
    traces: dict[tuple[str, str], list[Row]] = {}
    rows: list[Row] = []
    for span in spans:
        name = span.project, span.trace_id
        of_trace = traces.get(name)
        if of_trace is None:
            of_trace = traces[name] = []
            trace_hash = hash_key(*name)
        else:
            trace_hash = of_trace[0].trace_hash
        row = Row(span, encode(span.raw, resources), hash_key(*name, span.span_id), trace_hash, 0)
        of_trace.append(row)
        rows.append(row)
    for of_trace in traces.values():
        if len(of_trace) > 1:
            _share_facts(of_trace)
            _note_doubles(of_trace)
    return Parcel(spans_table(rows))


def unpack(data: pa.Buffer | bytes) -> Parcel:
    """Read what `to_bytes` wrote, without copying it."""
    packed = pa.py_buffer(data)
    table = pa.ipc.open_stream(packed).read_all()
    for name in _LATER:
        if name not in table.column_names:  # what a release before had acknowledged and not stored yet
            table = table.append_column(name, pa.nulls(table.num_rows, pa.string()))
    return Parcel(table, packed)


def names_trace(batch: WriteBatch, trace_id: str, trace_hash: int) -> bool:
    """Say whether a batch brings anything of a trace, or of another project's of the same id."""
    if isinstance(batch.parcel, Parcel) and bool((batch.parcel.trace_hash == np.uint64(trace_hash)).any()):
        return True
    named = [*(one.trace_id for one in batch.spans), *(log.trace_id for _, log in batch.logs)]
    return trace_id in named or any(score.trace_id == trace_id for score in batch.scores)


def _share_facts(rows: list[Row]) -> None:
    told = zip(*(_facts(row.span) for row in rows), strict=True)
    for (name, _), values in zip(FACT_BITS, told, strict=True):
        if not any(values) or all(values):
            continue
        value = min((row for row, own in zip(rows, values, strict=True) if own), key=_order).own(name)
        for row, own in zip(rows, values, strict=True):
            if not own:
                row.facts[name] = value


def _note_doubles(rows: list[Row]) -> None:
    found = duplicates_of([row.span for row in rows])
    for row in rows if found else ():
        if (kept := found.get(row.span.span_id)) is not None:
            row.span = msgspec.structs.replace(row.span, duplicate_of=kept)


def _order(row: Row) -> tuple[bool, int, str]:
    return row.span.parent_span_id is not None, row.span.start_time, row.span.span_id


def _numbers(table: pa.Table, name: str) -> NDArray[Any]:
    column = table.column(name)
    found: NDArray[Any] = (column.chunk(0) if column.num_chunks == 1 else column).to_numpy()
    return found
