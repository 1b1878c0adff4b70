"""Deleting media whose traces and test cases are gone."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from watchkeeper.server.asked import services_of
from watchkeeper.server.media.files import MediaFiles, media_id
from watchkeeper.store.api import SpanStore
from watchkeeper.store.datasets import DatasetStore
from watchkeeper.store.media import MediaStore

__all__ = ["House", "prune", "sweep"]

_STEP = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Everything that knows of media. `is_off` says of a service that none of its content is to be kept."""

    facts: MediaStore
    files: MediaFiles
    spans: SpanStore
    datasets: DatasetStore
    is_off: Callable[[str], bool] = lambda _: False

    def is_silent(self, project: str, trace: str) -> bool:
        """Say whether a trace is stored and of a service whose content is not kept."""
        return any(self.is_off(service) for service in services_of(self.spans, project, [trace]).get(trace, ()))


def sweep(
    house: House, before: int, going: Callable[[], bool] = lambda: True,
    turn: AbstractContextManager[object] | None = None,
) -> int:  # fmt: skip
    """Forget uses by traces that are not stored and by items that are not there; return how many media went.

    A use from `before` (ns) or later may be of a trace that is still on its way and is left. A trace of a service
    whose content is not kept keeps no media, however young. `turn` is held for each deletion.
    """
    gone = 0
    turn = turn or nullcontext()
    for project in house.facts.projects():
        after = ""
        while (some := house.facts.traces(project, after=after, limit=_STEP)) and going():
            after = some[-1][0]
            lost = _lost(house, project, some, before)
            with turn:
                gone += forget(house, project, traces=lost)
        after = ""
        while (some := house.facts.items(project, after=after, limit=_STEP)) and going():
            after = some[-1][0]
            bare = [item for item, newest in some if _is_bare(house, project, item, old=newest < before)]
            with turn:
                gone += forget(house, project, items=bare)
    return gone


def forget(house: House, project: str, *, traces: list[str] | None = None, items: list[str] | None = None) -> int:
    """Forget uses, and delete the media that nothing uses then; return how many."""
    gone = house.facts.drop(project, traces=traces or (), items=items or ()) if traces or items else []
    for medium in gone:
        house.files.delete(medium.project, medium.sha256)
    return len(gone)


def prune(house: House) -> int:
    """Delete files that nothing is known of; return how many. For a folder that nobody else uses."""
    gone = 0
    for project, sha256, _ in list(house.files.all()):
        if house.facts.find(project, media_id(sha256)) is None:
            house.files.delete(project, sha256)
            gone += 1
    return gone


def bare_items(house: House, project: str) -> list[str]:
    """Return the items that use media and were emptied."""
    return [item for item, _ in house.facts.items(project) if _is_bare(house, project, item, old=False)]


def _lost(house: House, project: str, some: list[tuple[str, int]], before: int) -> list[str]:
    there = services_of(house.spans, project, [trace for trace, _ in some])
    return [
        trace for trace, newest in some if (any(map(house.is_off, there[trace])) if trace in there else newest < before)
    ]


def _is_bare(house: House, project: str, item: str, *, old: bool) -> bool:
    found = house.datasets.item(project, item)
    return old if found is None else found.erased_at is not None
