"""Which dialects a span may carry: one pass over its keys, whatever the number of dialects."""

from __future__ import annotations

from collections.abc import Iterable

from watchkeeper.ingest.draft import Dialect
from watchkeeper.model import RawSpan

__all__ = ["Detector"]

_KEYS_MAX = 20_000  # keys are strangers' data; the table that remembers them is emptied when it is full


class Detector:
    """A table from keys to the dialects they can mark, kept in the order in which the dialects are believed."""

    def __init__(self, dialects: Iterable[Dialect]) -> None:
        self._dialects = tuple(dialects)
        self._heads: dict[str, int] = {}
        for place, dialect in enumerate(self._dialects):
            for head in dialect.heads:
                self._heads[head] = self._heads.get(head, 0) | 1 << place
        self._keys: dict[str, int] = {}
        self._sets: dict[int, tuple[Dialect, ...]] = {0: ()}

    def offered(self, raw: RawSpan) -> tuple[Dialect, ...]:
        """Return the dialects of which the span has a head; each must still say whether it is spoken."""
        marks, known = 0, self._keys
        for key in raw.attributes:
            mark = known.get(key)
            marks |= self._mark(key) if mark is None else mark
        for event in raw.events:
            marks |= self._mark(event.name)
        for log in raw.logs:
            marks |= self._mark(log.event_name)
        found = self._sets.get(marks)
        if found is None:
            found = tuple(one for place, one in enumerate(self._dialects) if marks >> place & 1)
            self._sets[marks] = found
        return found

    def _mark(self, key: str) -> int:
        mark = self._keys.get(key)
        if mark is None:
            if len(self._keys) >= _KEYS_MAX:
                self._keys.clear()
            mark = self._keys[key] = self._heads.get(key.partition(".")[0], 0)
        return mark
