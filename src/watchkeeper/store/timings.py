"""How long commits and checkpoints took; one thread counts, any may look."""

from __future__ import annotations

from bisect import bisect_left

from watchkeeper.store.api import Timing

__all__ = ["Timings"]

_MS = 1_000_000
_BOUNDS = tuple(_MS * one for one in (2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000))


class Timings:
    """Counts by duration, from 2 ms to 30 s."""

    def __init__(self) -> None:
        self._counts = [0] * (len(_BOUNDS) + 1)
        self._total_ns = 0

    def add(self, took_ns: int) -> None:
        """Count one."""
        self._counts[bisect_left(_BOUNDS, took_ns)] += 1
        self._total_ns += took_ns

    def read(self) -> Timing:
        """Return what was counted so far."""
        return Timing(bounds=_BOUNDS, counts=tuple(self._counts), total_ns=self._total_ns)
