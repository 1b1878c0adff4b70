"""What one commit will do: parcels, log records and what is stored already, folded key by key.

A span whose key nobody knows goes into the table as the columns it came in. Only those that meet
their key again (stored, twice in this commit, or with log records) are looked at one by one.
No I/O but through the `Stored` port, so the rule of identity can be read and tested by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from watchkeeper.model import RawLog, RawSpan, Score, merge_raw
from watchkeeper.store import codec
from watchkeeper.store.api import Outcome, Refine, WriteBatch
from watchkeeper.store.duckdb.index import hash_key
from watchkeeper.store.duckdb.parcel import Parcel, pack
from watchkeeper.store.duckdb.rows import Row, encode

__all__ = ["Key", "Plan", "Stored", "fold"]

Key: TypeAlias = tuple[int, str, str, str]
"""(hash, project, trace id, span id)."""
Trace: TypeAlias = tuple[int, str, str]
"""(hash, project, trace id)."""
Hashes: TypeAlias = NDArray[np.uint64]
_NOWHERE = np.empty(0, dtype=np.intp)


class Stored(Protocol):
    """What is stored already, asked for many keys at once."""

    def known(self, hashes: Hashes) -> NDArray[np.bool_]:
        """Say for each key hash whether a span of it may be stored, or log records wait for one."""
        ...

    def heads(self, keys: Sequence[Key]) -> dict[Key, bytes]:
        """Return the fingerprints of those that are stored."""
        ...

    def rows(self, keys: Sequence[Key]) -> dict[Key, Row]:
        """Return the rows of those that are stored."""
        ...

    def pending(self, keys: Sequence[Key]) -> dict[Key, list[RawLog]]:
        """Return the log records that wait for these spans."""
        ...

    def knows_trace(self, hashes: Hashes) -> NDArray[np.bool_]:
        """Say for each trace hash whether spans of it may be stored."""
        ...


@dataclass(slots=True)
class Plan:
    """The changes of one commit, and the outcomes of each batch in it.

    `tables` are columns to insert as they are, `rows` spans that were looked at; `replaced` are those
    of the rows that are stored already.
    """

    revision: int
    outcomes: list[tuple[Outcome, ...]] = field(default_factory=list)
    tables: list[pa.Table] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    replaced: list[Key] = field(default_factory=list)
    new_spans: int = 0
    pending: list[tuple[Key, str]] = field(default_factory=list)
    joined: list[Key] = field(default_factory=list)
    due: list[Trace] = field(default_factory=list)
    scores: dict[tuple[str, str], tuple[int, Score]] = field(default_factory=dict)


Met: TypeAlias = tuple[Key, int]
"""A span to look at: its key, and its place in its parcel."""


class _Fold:
    def __init__(self, stored: Stored, refine: Refine, revision: int) -> None:
        self.stored = stored
        self.refine = refine
        self.revision = revision
        self.rows: dict[Key, Row] = {}
        self.heads: dict[Key, bytes] = {}
        self.waiting: dict[Key, list[RawLog]] = {}
        self.changed: dict[Key, None] = {}
        self.new_logs: dict[Key, list[RawLog]] = {}
        self.joined: list[Key] = []

    def load(self, parcels: list[Parcel], met: list[list[Met]], logs: list[list[tuple[Key, RawLog]]]) -> None:
        """Ask once for all that is stored of the keys to look at."""
        keys = dict.fromkeys([key for some in met for key, _ in some] + [key for some in logs for key, _ in some])
        if not keys:
            return
        self.heads = self.stored.heads(list(keys))
        differing = {
            key: None
            for parcel, some in zip(parcels, met, strict=True)
            for key, at in some
            if key in self.heads and self.heads[key] != parcel.fingerprint(at)
        }
        named = {key: None for some in logs for key, _ in some if key in self.heads}
        if differing or named:
            self.rows = self.stored.rows(list({**differing, **named}))
        self.waiting = self.stored.pending([key for key in keys if key not in self.heads])

    def span(self, key: Key, parcel: Parcel, at: int) -> Outcome:
        fingerprint = parcel.fingerprint(at)
        row = self.rows.get(key)
        if row is None:
            if self.heads.get(key) == fingerprint:
                return "unchanged"
            self._insert(key, parcel.row(at, self.revision))
            return "inserted"
        if row.encoded.fingerprint == fingerprint:
            return "unchanged"
        later = parcel.row(at, self.revision).span
        return "merged" if self._amend(key, row, later.raw, later.received_at) else "unchanged"

    def log(self, key: Key, log: RawLog) -> None:
        row = self.rows.get(key)
        if row is None:
            waiting = self.waiting.setdefault(key, [])
            if log not in waiting:
                waiting.append(log)
                self.new_logs.setdefault(key, []).append(log)
            return
        self._amend(key, row, RawSpan(trace_id=key[2], span_id=key[3], logs=(log,)), row.span.received_at)

    def _insert(self, key: Key, row: Row) -> None:
        self.rows[key] = row
        self.changed[key] = None
        logs = self.waiting.pop(key, None)
        if logs:
            self.new_logs.pop(key, None)
            self.joined.append(key)
            late = RawSpan(trace_id=key[2], span_id=key[3], logs=tuple(logs))
            self._amend(key, row, late, row.span.received_at)

    def _amend(self, key: Key, row: Row, later: RawSpan, received_at: int) -> bool:
        merged = merge_raw(row.span.raw, later)
        encoded = encode(merged, {})
        if encoded.fingerprint == row.encoded.fingerprint:
            return False
        # Until the trace's spans are looked at together again, which an amended one makes due.
        known = row.span.duplicate_of
        row.span = msgspec.structs.replace(self.refine(key[1], merged, received_at), duplicate_of=known)
        row.encoded = encoded
        self.changed[key] = None
        return True


def fold(batches: Iterable[WriteBatch], stored: Stored, refine: Refine, revision: int) -> Plan:
    """Work out what storing these batches, in this order, changes."""
    taken = list(batches)
    plan = Plan(revision)
    state = _Fold(stored, refine, revision)
    parcels = [_parcel(batch) for batch in taken]
    logs = [[(_key(project, log), log) for project, log in batch.logs] for batch in taken]
    places = _to_look_at(parcels, stored, {key[0] for some in logs for key, _ in some})
    met = [
        list(zip(parcel.names(at), at.tolist(), strict=True)) if len(at) else []
        for parcel, at in zip(parcels, places, strict=True)
    ]
    state.load(parcels, met, logs)
    for parcel, at, some, of_logs, batch in zip(parcels, places, met, logs, taken, strict=True):
        outcomes: list[Outcome] = ["inserted"] * len(parcel)
        for key, place in some:
            outcomes[place] = state.span(key, parcel, place)
        plan.outcomes.append(tuple(outcomes))
        plan.new_spans += len(parcel) - len(at)
        if len(parcel) > len(at):
            plan.tables.append(parcel.without(at))
        for key, log in of_logs:
            state.log(key, log)
        for score in batch.scores:
            plan.scores[score.project, score.id] = (hash_key(score.project, score.id), score)
    plan.rows = [state.rows[key] for key in state.changed]
    plan.replaced = [key for key in state.changed if key in state.heads]
    plan.new_spans += len(plan.rows) - len(plan.replaced)
    plan.pending = [(key, codec.encode_log(log)) for key, many in state.new_logs.items() for log in many]
    plan.joined = state.joined
    plan.due = _due(parcels, places, plan.rows, stored)
    return plan


def _parcel(batch: WriteBatch) -> Parcel:
    if isinstance(batch.parcel, Parcel):
        return batch.parcel
    return pack(batch.spans)


def _to_look_at(parcels: list[Parcel], stored: Stored, named: Collection[int]) -> list[NDArray[np.intp]]:
    """Return for each parcel the places of the spans whose key is known, doubled here, or named by a log record."""
    hashes = np.concatenate([parcel.key_hash for parcel in parcels]) if parcels else np.empty(0, dtype=np.uint64)
    if len(hashes) == 0:
        return [_NOWHERE] * len(parcels)
    look = stored.known(hashes)
    order = np.argsort(hashes, kind="stable")
    same = np.nonzero(hashes[order][1:] == hashes[order][:-1])[0]
    look[order[same]] = True
    look[order[same + 1]] = True
    if named:
        look |= np.isin(hashes, np.fromiter(named, dtype=np.uint64, count=len(named)))
    ends = np.cumsum([len(parcel) for parcel in parcels])[:-1]
    return [np.nonzero(part)[0] for part in np.split(look, ends)]


def _key(project: str, log: RawLog) -> Key:
    return hash_key(project, log.trace_id, log.span_id), project, log.trace_id, log.span_id


def _due(parcels: list[Parcel], places: list[NDArray[np.intp]], rows: list[Row], stored: Stored) -> list[Trace]:
    """Return the traces whose facts a parcel alone cannot know: stored before, in two parcels, or with a row mended."""
    firsts = [np.unique(parcel.trace_hash, return_index=True) for parcel in parcels]
    hashes = np.concatenate([own for own, _ in firsts]) if firsts else np.empty(0, dtype=np.uint64)
    found = {(row.trace_hash, row.span.project, row.span.trace_id): None for row in rows}
    if len(hashes) == 0:
        return list(found)
    late = stored.knows_trace(hashes)
    if len(parcels) > 1:
        values, counts = np.unique(hashes, return_counts=True)
        late |= np.isin(hashes, values[counts > 1])
    ends = np.cumsum([len(own) for own, _ in firsts])[:-1]
    for parcel, at, (_, index), here in zip(parcels, places, firsts, np.split(late, ends), strict=True):
        if here.any() and len(at) < len(parcel):
            found |= dict.fromkeys(parcel.traces(index[here]))
    return list(found)
