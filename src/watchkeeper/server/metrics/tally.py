"""A counter with labels, for what is not a model call."""

from __future__ import annotations

from collections.abc import Iterator

from watchkeeper.server.metrics.exposition import Page
from watchkeeper.server.metrics.labels import pairs

__all__ = ["Tally"]


class Tally:
    """Counts by label values. Not thread-safe: the owner locks.

    Args:
        name: of the metric, without `_total`.
        text: what it counts, for people.
        labels: their names. A first label `project` makes it visible to that project's keys.
    """

    def __init__(self, name: str, text: str, *labels: str) -> None:
        self.name = name
        self.text = text
        self.labels = labels
        self.counts: dict[tuple[str, ...], int] = {}

    def add(self, values: tuple[str, ...], count: int = 1) -> None:
        """Count; the values are clean and few already."""
        self.counts[values] = self.counts.get(values, 0) + count

    def snapshot(self, project: str | None = None) -> list[tuple[tuple[str, ...], int]]:
        """Return values and counts, of one project or of all; nothing when it is not told apart by project."""
        if project is not None and self.labels[:1] != ("project",):
            return []
        return [(values, count) for values, count in self.counts.items() if project is None or values[0] == project]

    def write(self, page: Page, found: list[tuple[tuple[str, ...], int]]) -> None:
        """Write a snapshot."""
        page.family(self.name, "counter", self.text)
        page.samples(self._lines(found), "_total")

    def _lines(self, found: list[tuple[tuple[str, ...], int]]) -> Iterator[tuple[str, int]]:
        for values, count in found:
            yield pairs(self.labels, values), count
