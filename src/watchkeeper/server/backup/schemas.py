"""What the backup endpoints answer."""

from __future__ import annotations

from typing import Literal

from watchkeeper.server.schemas import Big, Model, Time

__all__ = ["BackupOut"]


class BackupOut(Model):
    """A backup under way. `ready`: its archive can be fetched, until some minutes after it was last asked for.

    `rows_done` and `rows_all` are spans and scores copied. `size` is the bytes of its files, unpacked.
    """

    id: str
    state: Literal["copying", "ready", "failed"]
    rows_done: int
    rows_all: int
    taken_at: Time | None
    spans: int | None
    scores: int | None
    size: Big | None
    error: str | None
    hint: str | None
