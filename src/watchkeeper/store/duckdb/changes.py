"""Which seconds of span starts commits changed, so that what was computed from the others can be kept.

The writer notes before a commit can be seen and after it is; a reader asks before it reads, and again after.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from watchkeeper.store.duckdb.index import Times

__all__ = ["GRAIN", "Changed", "Changes"]

GRAIN = 1_000_000_000
_MOST = 20_000
_WIDEST = 5_000


class Changed(NamedTuple):
    """The number to ask with the next time, and the seconds that changed; None where any may have."""

    number: int
    seconds: frozenset[int] | None


class Changes:
    """Numbers the changes and remembers the last one of each second. The writer notes, any thread asks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._number = 0
        self._floor = 0
        self._last: dict[int, int] = {}  # in order of number, for each change puts its seconds at the end
        self._writing: list[frozenset[int] | None] = []

    @contextmanager
    def writing(self, lows: Times, highs: Times) -> Iterator[None]:
        """Note that rows which start in these ranges of ns (ends included) change by what the block commits.

        While it runs, a reader may see them as they were or as they will be.
        """
        seconds = _seconds(lows, highs)
        with self._lock:
            self._writing.append(seconds)
        try:
            yield
        finally:
            with self._lock:
                self._writing.remove(seconds)
                self._note(seconds)

    @contextmanager
    def between(self, low: int, high: int) -> Iterator[None]:
        """Note as `writing` does, one range of ns."""
        with self.writing(np.array([low], dtype=np.int64), np.array([high], dtype=np.int64)):
            yield

    def everything(self) -> None:
        """Note that any row may have changed."""
        with self._lock:
            self._note(None)

    def since(self, number: int) -> Changed:
        """Return what changed after that number, and what is being written now."""
        with self._lock:
            if number < self._floor or None in self._writing:
                return Changed(self._number, None)
            found: set[int] = set()
            for second, at in reversed(self._last.items()):
                if at <= number:
                    break
                found.add(second)
            for seconds in self._writing:
                found.update(seconds or ())
            return Changed(self._number, frozenset(found))

    def _note(self, seconds: frozenset[int] | None) -> None:
        self._number += 1
        if seconds is None or len(seconds) + len(self._last) > _MOST:
            self._floor = self._number
            self._last.clear()
            return
        for second in seconds:
            self._last.pop(second, None)
            self._last[second] = self._number


def _seconds(lows: Times, highs: Times) -> frozenset[int] | None:
    """Return the seconds of these ranges, None where they are too many to count."""
    first, last = lows // GRAIN, highs // GRAIN
    found = set(np.unique(first).tolist())
    wide = last > first
    if wide.any():
        if int((last[wide] - first[wide]).max()) > _WIDEST or int(wide.sum()) > _WIDEST:
            return None
        for begin, end in zip(first[wide].tolist(), last[wide].tolist(), strict=True):
            found.update(range(begin, end + 1))
    return frozenset(found)
