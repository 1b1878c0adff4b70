"""What one commit will do: receipts, log records and what is stored already, folded key by key.

No I/O but through the `Stored` port, so the rule of identity can be read and tested by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from watchkeeper.model import RawLog, RawSpan, Score, Span, merge_raw
from watchkeeper.store import codec
from watchkeeper.store.api import Outcome, Refine, WriteBatch
from watchkeeper.store.duckdb.index import hash_key
from watchkeeper.store.duckdb.rows import FACT_BITS, Encoded, Row, encode

__all__ = ["Key", "Plan", "Stored", "fold"]

Key: TypeAlias = tuple[int, str, str, str]
"""(hash, project, trace id, span id)."""


class Stored(Protocol):
    """What is stored already, asked for many keys at once."""

    def heads(self, keys: Sequence[Key]) -> dict[Key, bytes]:
        """Return the fingerprints of those that are stored."""
        ...

    def rows(self, keys: Sequence[Key]) -> dict[Key, Row]:
        """Return the rows of those that are stored."""
        ...

    def pending(self, keys: Sequence[Key]) -> dict[Key, list[RawLog]]:
        """Return the log records that wait for these spans."""
        ...

    def knows_trace(self, hashes: Sequence[int]) -> list[bool]:
        """Say for each trace hash whether spans of it may be stored."""
        ...


@dataclass(slots=True)
class Plan:
    """The changes of one commit, and the outcomes of each batch in it."""

    outcomes: list[tuple[Outcome, ...]] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    replaced: list[Key] = field(default_factory=list)
    new_spans: int = 0
    pending: list[tuple[Key, str]] = field(default_factory=list)
    joined: list[Key] = field(default_factory=list)
    due: list[tuple[int, str, str]] = field(default_factory=list)
    scores: dict[tuple[str, str], tuple[int, Score]] = field(default_factory=dict)


class _Fold:
    def __init__(self, stored: Stored, refine: Refine, revision: int) -> None:
        self.stored = stored
        self.refine = refine
        self.revision = revision
        self.resources: dict[int, str] = {}
        self.rows: dict[Key, Row] = {}
        self.heads: dict[Key, bytes] = {}
        self.waiting: dict[Key, list[RawLog]] = {}
        self.changed: dict[Key, None] = {}
        self.new_logs: dict[Key, list[RawLog]] = {}
        self.joined: list[Key] = []

    def span(self, key: Key, span: Span, encoded: Encoded) -> Outcome:
        row = self.rows.get(key)
        if row is None:
            if self.heads.get(key) == encoded.fingerprint:
                return "unchanged"
            self._insert(key, span, encoded)
            return "inserted"
        if row.encoded.fingerprint == encoded.fingerprint:
            return "unchanged"
        return "merged" if self._amend(key, row, span.raw, span.received_at) else "unchanged"

    def log(self, key: Key, log: RawLog) -> None:
        row = self.rows.get(key)
        if row is None:
            waiting = self.waiting.setdefault(key, [])
            if log not in waiting:
                waiting.append(log)
                self.new_logs.setdefault(key, []).append(log)
            return
        self._amend(key, row, RawSpan(trace_id=key[2], span_id=key[3], logs=(log,)), row.span.received_at)

    def _insert(self, key: Key, span: Span, encoded: Encoded) -> None:
        row = Row(span, encoded, key[0], hash_key(key[1], key[2]), self.revision)
        self.rows[key] = row
        self.changed[key] = None
        logs = self.waiting.pop(key, None)
        if logs:
            self.new_logs.pop(key, None)
            self.joined.append(key)
            late = RawSpan(trace_id=key[2], span_id=key[3], logs=tuple(logs))
            self._amend(key, row, late, span.received_at)

    def _amend(self, key: Key, row: Row, later: RawSpan, received_at: int) -> bool:
        merged = merge_raw(row.span.raw, later)
        encoded = encode(merged, {})
        if encoded.fingerprint == row.encoded.fingerprint:
            return False
        row.span = self.refine(key[1], merged, received_at)
        row.encoded = encoded
        self.changed[key] = None
        return True


def fold(batches: Iterable[WriteBatch], stored: Stored, refine: Refine, revision: int) -> Plan:
    """Work out what storing these batches, in this order, changes."""
    taken = list(batches)
    state = _Fold(stored, refine, revision)
    spans = [
        [(_key(one.project, one.trace_id, one.span_id), one, encode(one.raw, state.resources)) for one in batch.spans]
        for batch in taken
    ]
    logs = [[(_key(project, log.trace_id, log.span_id), log) for project, log in batch.logs] for batch in taken]
    _load(state, spans, logs)
    plan = Plan()
    for of_spans, of_logs, batch in zip(spans, logs, taken, strict=True):
        plan.outcomes.append(tuple(state.span(*one) for one in of_spans))
        for key, log in of_logs:
            state.log(key, log)
        for score in batch.scores:
            plan.scores[score.project, score.id] = (hash_key(score.project, score.id), score)
    plan.rows = [state.rows[key] for key in state.changed]
    plan.replaced = [key for key in state.changed if key in state.heads]
    plan.new_spans = len(plan.rows) - len(plan.replaced)
    plan.pending = [(key, codec.encode_log(log)) for key, many in state.new_logs.items() for log in many]
    plan.joined = state.joined
    plan.due = _fill_facts(plan.rows, stored)
    return plan


def _load(state: _Fold, spans: list[list[tuple[Key, Span, Encoded]]], logs: list[list[tuple[Key, RawLog]]]) -> None:
    keys = dict.fromkeys([key for batch in spans for key, _, _ in batch] + [key for batch in logs for key, _ in batch])
    state.heads = state.stored.heads(list(keys))
    differing = {
        key: None
        for batch in spans
        for key, _, encoded in batch
        if key in state.heads and state.heads[key] != encoded.fingerprint
    }
    named = {key: None for batch in logs for key, _ in batch if key in state.heads}
    if differing or named:
        state.rows = state.stored.rows(list({**differing, **named}))
    state.waiting = state.stored.pending([key for key in keys if key not in state.heads])


def _key(project: str, trace_id: str, span_id: str) -> Key:
    return hash_key(project, trace_id, span_id), project, trace_id, span_id


def _fill_facts(rows: list[Row], stored: Stored) -> list[tuple[int, str, str]]:
    """Copy facts within traces that are new and whole in this commit; return the traces left for later."""
    traces: dict[tuple[int, str, str], list[Row]] = {}
    for row in rows:
        traces.setdefault((row.trace_hash, row.span.project, row.span.trace_id), []).append(row)
    known = stored.knows_trace([trace[0] for trace in traces])
    for of_trace, is_known in zip(traces.values(), known, strict=True):
        if is_known:
            continue
        for name, _ in FACT_BITS:
            best = _best([row for row in of_trace if row.own(name)])
            if best is None:
                continue
            value = best.own(name)
            for row in of_trace:
                if not row.own(name):
                    row.facts[name] = value
    return [trace for trace, is_known in zip(traces, known, strict=True) if is_known]


def _best(rows: list[Row]) -> Row | None:
    def order(row: Row) -> tuple[Any, ...]:
        return row.span.parent_span_id is not None, row.span.start_time, row.span.span_id

    return min(rows, key=order, default=None)
