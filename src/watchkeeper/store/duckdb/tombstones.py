"""What keeps erased traces from coming back: a hash of each, and the sieve in front of every commit."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TypeVar

import duckdb
import msgspec
import numpy as np

from watchkeeper.model import Span
from watchkeeper.store.api import ERASED_DAYS, Outcome, WriteBatch
from watchkeeper.store.duckdb import statements
from watchkeeper.store.duckdb.index import Hashes, KeyIndex, hash_key
from watchkeeper.store.duckdb.parcel import Parcel

__all__ = ["Sifted", "Tombstones"]

T = TypeVar("T")
_DAY_NS = 86_400 * 1_000_000_000


class Sifted:
    """Which spans of which batch were dropped, to report them in their place."""

    def __init__(self) -> None:
        self.dropped: dict[int, list[bool]] = {}

    def outcomes(self, stored: Sequence[tuple[Outcome, ...]]) -> list[tuple[Outcome, ...]]:
        """Put `erased` between the outcomes of what was stored, where a span was dropped."""
        found = list(stored)
        for at, marks in self.dropped.items():
            kept = iter(stored[at])
            found[at] = tuple("erased" if mark else next(kept) for mark in marks)
        return found


class Tombstones:
    """The hashes of erased traces. On the writer's thread."""

    def __init__(self) -> None:
        self._hashes = KeyIndex()

    def __len__(self) -> int:
        """Count them."""
        return len(self._hashes)

    def load(self, db: duckdb.DuckDBPyConnection) -> None:
        """Read those that are still in force."""
        rows = db.execute(statements.ERASED, {"since": time.time_ns() - ERASED_DAYS * _DAY_NS}).fetchnumpy()
        self._hashes = KeyIndex()
        self._hashes.add(rows["trace_hash"].astype(np.uint64), rows["erased_at"].astype(np.int64))

    def add(self, traces: Sequence[int], erased_at: int) -> None:
        """Add traces that were erased at a time, ns."""
        self._hashes.add(np.array(traces, dtype=np.uint64), np.full(len(traces), erased_at, dtype=np.int64))

    def sift(self, batches: list[WriteBatch]) -> tuple[list[WriteBatch], Sifted]:
        """Take out what belongs to an erased trace; return the rest, and what was taken out."""
        sifted = Sifted()
        if len(self._hashes) == 0:
            return batches, sifted
        return [self._sift(at, batch, sifted) for at, batch in enumerate(batches)], sifted

    def _sift(self, at: int, batch: WriteBatch, sifted: Sifted) -> WriteBatch:
        packed = batch.parcel if isinstance(batch.parcel, Parcel) else None
        own = self._marks(batch.spans) if packed is None else self._known(packed.trace_hash)
        logs = self._erased([(project, log.trace_id) for project, log in batch.logs])
        scores = self._erased([(score.project, score.trace_id or "") for score in batch.scores])
        if not (any(own) or any(logs) or any(scores)):
            return batch
        if any(own):
            sifted.dropped[at] = own
        return msgspec.structs.replace(
            batch,
            parcel=None if packed is None else Parcel(packed.without(np.nonzero(np.array(own))[0])),
            spans=_without(batch.spans, own) if packed is None else (),
            logs=_without(batch.logs, logs),
            scores=_without(batch.scores, scores),
        )

    def _marks(self, spans: Sequence[Span]) -> list[bool]:
        return self._erased([(span.project, span.trace_id) for span in spans])

    def _erased(self, traces: list[tuple[str, str]]) -> list[bool]:
        hashes = {trace: hash_key(*trace) for trace in set(traces)}
        return self._known(np.array([hashes[one] for one in traces], dtype=np.uint64))

    def _known(self, hashes: Hashes) -> list[bool]:
        marks: list[bool] = self._hashes.has(hashes).tolist()
        return marks


def _without(items: tuple[T, ...], marks: list[bool]) -> tuple[T, ...]:
    return tuple(item for item, mark in zip(items, marks, strict=True) if not mark)
