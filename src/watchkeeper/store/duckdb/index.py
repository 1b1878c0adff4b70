"""An exact index from 64-bit key hashes to start times, in numpy: which keys are here, and where to look.

Sorted, immutable arrays in tiers, as in a log-structured tree: an addition becomes a small tier, tiers
of like size are merged. 16 bytes an entry. A hash may stand for several keys or a key for several
start times; the answer is then the range that holds them all, and the caller compares true keys.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

__all__ = ["Gone", "Hashes", "KeyIndex", "Times", "edges", "hash_key"]

Hashes = NDArray[np.uint64]
Times = NDArray[np.int64]
_GROWTH = 4


def hash_key(*parts: str) -> int:
    """Return 64 bits for a key; the same on every machine, for they are stored."""
    text = "\x00".join(parts).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "little")


@dataclass(slots=True)
class Gone:
    """What was deleted: how many rows, and the hashes of which no row is left. `touched`: traces that lost some."""

    spans: int = 0
    scores: int = 0
    keys: Hashes = field(default_factory=lambda: np.empty(0, dtype=np.uint64))
    traces: Hashes = field(default_factory=lambda: np.empty(0, dtype=np.uint64))
    score_keys: Hashes = field(default_factory=lambda: np.empty(0, dtype=np.uint64))
    pending_keys: list[int] = field(default_factory=list)
    touched: Hashes = field(default_factory=lambda: np.empty(0, dtype=np.uint64))


class KeyIndex:
    """Hashes with the start times seen for them. One thread adds; any thread may look up."""

    def __init__(self) -> None:
        # Replaced whole, never changed in place: a reader's snapshot stays true without a lock.
        self._tiers: tuple[tuple[Hashes, Times], ...] = ()

    def __len__(self) -> int:
        """Count the entries."""
        return sum(len(hashes) for hashes, _ in self._tiers)

    def add(self, hashes: Hashes, times: Times) -> None:
        """Add entries, in any order."""
        if len(hashes) == 0:
            return
        order = np.argsort(hashes, kind="stable")
        tiers = [*self._tiers, (hashes[order], times[order])]
        while len(tiers) > 1 and len(tiers[-1][0]) * _GROWTH > len(tiers[-2][0]):
            tiers.append(_merge(tiers.pop(-2), tiers.pop()))
        self._tiers = tuple(tiers)

    def has(self, hashes: Hashes) -> NDArray[np.bool_]:
        """Say for each hash whether it is here."""
        found = np.zeros(len(hashes), dtype=np.bool_)
        for keys, _ in self._tiers:
            first = np.searchsorted(keys, hashes, side="left")
            found |= keys[np.minimum(first, len(keys) - 1)] == hashes
        return found

    def remove(self, hashes: Hashes) -> None:
        """Take out every entry of these hashes. Only for hashes of which nothing is stored any more."""
        if len(hashes) == 0:
            return
        gone = np.unique(hashes)
        tiers = []
        for keys, times in self._tiers:
            begin, end = np.searchsorted(keys, gone, side="left"), np.searchsorted(keys, gone, side="right")
            steps = np.zeros(len(keys) + 1, dtype=np.int32)
            np.add.at(steps, begin, 1)
            np.add.at(steps, end, -1)
            keep = np.cumsum(steps[:-1]) == 0
            if keep.any():
                tiers.append((keys[keep], times[keep]))
        self._tiers = tuple(tiers)

    def find(self, hashes: Hashes) -> tuple[NDArray[np.bool_], Times, Times]:
        """Say for each hash whether it is here, and the earliest and latest start time seen for it."""
        found = np.zeros(len(hashes), dtype=np.bool_)
        low = np.full(len(hashes), np.iinfo(np.int64).max, dtype=np.int64)
        high = np.full(len(hashes), np.iinfo(np.int64).min, dtype=np.int64)
        for keys, times in self._tiers:
            first = np.searchsorted(keys, hashes, side="left")
            hit = np.nonzero(keys[np.minimum(first, len(keys) - 1)] == hashes)[0]
            if len(hit) == 0:
                continue
            found[hit] = True
            # Runs of equal hashes, as pairs (begin, end); the entry past the last run keeps `reduceat` in bounds.
            runs = np.stack((first[hit], np.searchsorted(keys, hashes[hit], side="right")), axis=1).ravel()
            padded = np.append(times, times[-1])
            low[hit] = np.minimum(low[hit], np.minimum.reduceat(padded, runs)[::2])
            high[hit] = np.maximum(high[hit], np.maximum.reduceat(padded, runs)[::2])
        return found, low, high


def edges(hashes: Hashes, times: Times) -> tuple[Hashes, Times]:
    """Return each hash with its earliest and, where it differs, its latest time: all a range needs."""
    if len(hashes) == 0:
        return hashes, times
    order = np.argsort(hashes, kind="stable")
    hashes, times = hashes[order], times[order]
    begins = np.concatenate(([0], np.nonzero(hashes[1:] != hashes[:-1])[0] + 1))
    low, high = np.minimum.reduceat(times, begins), np.maximum.reduceat(times, begins)
    wide = low != high
    return np.concatenate((hashes[begins], hashes[begins][wide])), np.concatenate((low, high[wide]))


def _merge(one: tuple[Hashes, Times], two: tuple[Hashes, Times]) -> tuple[Hashes, Times]:
    hashes = np.concatenate((one[0], two[0]))
    times = np.concatenate((one[1], two[1]))
    order = np.argsort(hashes, kind="stable")
    return hashes[order], times[order]
