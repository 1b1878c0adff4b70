"""Which stored calls are doubles of others, once all that is known of their traces is looked at together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import duckdb
import numpy as np
import pyarrow as pa

from watchkeeper.store.doubles import Call, duplicates
from watchkeeper.store.duckdb import statements
from watchkeeper.store.duckdb.index import Times
from watchkeeper.store.duckdb.rows import keys_table

__all__ = ["Twice", "calls_told_twice"]


class Twice(NamedTuple):
    """The spans whose `duplicate_of` is to be another, as a table of keys with that column, and when they start, ns."""

    table: pa.Table
    starts: Times


def calls_told_twice(db: duckdb.DuckDBPyConnection, limits: dict[str, int]) -> Twice | None:
    """Look at the traces that are due, whose spans start within `limits`; None where all is as it should be."""
    traces: dict[tuple[str, str], list[tuple[Any, ...]]] = {}
    for row in db.execute(statements.CALLS_TWICE, limits).fetchall():
        traces.setdefault(row[:2], []).append(row[2:])
    found: list[tuple[tuple[int, str, str, str], str | None, int]] = []
    for (project, trace_id), rows in traces.items():
        wanted = duplicates([_call(row) for row in rows if row[3]], {row[1]: row[2] for row in rows})
        found += [
            ((row[0], project, trace_id, row[1]), wanted.get(row[1]), row[6])
            for row in rows
            if wanted.get(row[1]) != row[-1]
        ]
    if not found:
        return None
    kept = pa.array([one[1] for one in found], pa.string())
    table = keys_table([one[0] for one in found]).append_column("duplicate_of", kept)
    return Twice(table, np.array([one[2] for one in found], dtype=np.int64))


def _call(row: Sequence[Any]) -> Call:
    (
        _, span_id, parent, _, kind, scope, start, duration, model, asked, answered, given, taken, failed, response_id,
        told, computed, no_output, no_input, _,
    ) = row  # fmt: skip
    return Call(
        span_id, parent, kind, scope, start, start + duration,
        frozenset(one for one in (model, asked, answered) if one), (given, taken), failed, response_id,
        (told == 0, computed, no_output, no_input, response_id is None, -told, duration, span_id),
    )  # fmt: skip
