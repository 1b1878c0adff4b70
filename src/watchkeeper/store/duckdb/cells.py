"""Model calls of a short time, summed by service, provider and model: the pieces that overviews are put together from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from watchkeeper.store.figures import LATENCY_BOUNDS

__all__ = ["COST", "ERRORS", "INPUT", "OUTPUT", "REQUESTS", "UNPRICED", "Block", "Codes", "Ints", "joined", "split"]

Ints: TypeAlias = NDArray[np.int64]
REQUESTS, ERRORS, UNPRICED, INPUT, OUTPUT, COST = range(6)
_SUMS = ("requests", "errors", "unpriced", "input_tokens", "output_tokens", "cost_nano_usd")
_BOUNDS = np.array(LATENCY_BOUNDS, dtype=np.int64)
_LATENCIES = len(LATENCY_BOUNDS) + 1
_OVERHEAD = 1_000


class Block(NamedTuple):
    """Cells: a row each of `codes`, `sums` (six, in the order of the constants) and `latency` (counts by bound).

    `durations` holds those of the first cell, then of the second, ns, in no order.
    """

    codes: NDArray[np.int32]
    sums: Ints
    latency: NDArray[np.int32]
    durations: Ints

    @property
    def nbytes(self) -> int:
        """Return what it weighs."""
        return _OVERHEAD + sum(part.nbytes for part in self)


class Codes:
    """Numbers for (service, provider, model)."""

    def __init__(self) -> None:
        self.names: list[tuple[str, str | None, str | None]] = []
        self._of: dict[tuple[str, str | None, str | None], int] = {}

    def of(self, name: tuple[str, str | None, str | None]) -> int:
        """Return its number, a new one where it has none."""
        found = self._of.get(name)
        if found is None:
            found = self._of[name] = len(self.names)
            self.names.append(name)
        return found


def split(table: pa.Table, codes: Codes) -> Iterator[tuple[int, int, Block]]:
    """Yield (chunk, bucket, block) of what `statements.CELLS` found, in order."""
    if table.num_rows == 0:
        return
    names = zip(*(table.column(name).to_pylist() for name in ("service", "provider", "model")), strict=True)
    of = np.array([codes.of(name) for name in names], dtype=np.int32)
    sums = np.stack([_ints(table, name) for name in _SUMS], axis=1)
    lists = table.column("durations").combine_chunks()
    durations = lists.flatten().to_numpy()
    ends = np.cumsum(sums[:, REQUESTS])
    latency = _latency(durations, sums[:, REQUESTS])
    chunks, buckets = _ints(table, "chunk"), _ints(table, "bucket")
    begins = np.nonzero(np.append(True, (np.diff(chunks) != 0) | (np.diff(buckets) != 0)))[0].tolist()
    for begin, end in zip(begins, [*begins[1:], table.num_rows], strict=True):
        values = durations[ends[begin - 1] if begin else 0 : ends[end - 1]]
        # Copies, so that a block that is kept does not hold the whole answer.
        block = Block(of[begin:end].copy(), sums[begin:end].copy(), latency[begin:end].copy(), values.copy())
        yield int(chunks[begin]), int(buckets[begin]), block


def joined(blocks: Sequence[Block]) -> Block:
    """Put blocks one after the other."""
    if not blocks:
        return Block(
            np.empty(0, np.int32), np.empty((0, len(_SUMS)), np.int64), np.empty((0, _LATENCIES), np.int32),
            np.empty(0, np.int64),
        )  # fmt: skip
    return Block(*(np.concatenate(parts) for parts in zip(*blocks, strict=True)))


def _ints(table: pa.Table, name: str) -> Ints:
    return np.asarray(table.column(name).fill_null(0).to_numpy(), dtype=np.int64)


def _latency(durations: Ints, lengths: Ints) -> NDArray[np.int32]:
    cell = np.repeat(np.arange(len(lengths)), lengths)
    place = cell * _LATENCIES + np.searchsorted(_BOUNDS, durations, side="left")
    counts = np.bincount(place, minlength=len(lengths) * _LATENCIES)
    return counts.reshape(len(lengths), _LATENCIES).astype(np.int32)
