"""What the store holds, counted by its writer."""

from __future__ import annotations

from watchkeeper.store.timings import Timings

__all__ = ["Counts"]


class Counts:
    """What the store holds; kept by the writer, read by anyone."""

    __slots__ = (
        "checkpoints",
        "commits",
        "erased",
        "expired",
        "pending_logs",
        "reclaim_due",
        "reclaimed_bytes",
        "revision",
        "scores",
        "spans",
    )

    def __init__(self) -> None:
        self.revision = 0
        self.spans = 0
        self.scores = 0
        self.pending_logs = 0
        self.reclaim_due: int | None = None
        self.erased = 0
        self.expired = 0
        self.reclaimed_bytes = 0
        self.commits = Timings()
        self.checkpoints = Timings()
