"""What the journal's endpoints answer."""

from __future__ import annotations

from typing import Literal

from watchkeeper.server.schemas import Model, Time

__all__ = ["JournalFilesOut", "KeptOut", "RetriedOut"]


class KeptOut(Model):
    """Something acknowledged that is not in the store: an export that could not be stored, or a damaged piece.

    `until` is when it is deleted by age.
    """

    name: str
    kind: Literal["refused", "damaged"]
    bytes: int
    since: Time
    until: Time


class JournalFilesOut(Model):
    """What was set aside, of all projects, sorted by name."""

    files: list[KeptOut]


class RetriedOut(Model):
    """What became of the spans of an export that was stored after all."""

    name: str
    outcomes: dict[str, int]
