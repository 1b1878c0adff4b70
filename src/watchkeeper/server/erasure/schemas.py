"""What the erasure endpoint takes and answers."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from watchkeeper.server.schemas import Model, Time

__all__ = ["ErasureIn", "ErasureOut"]

Name = Annotated[str, Field(min_length=1, max_length=1_000)]


class ErasureIn(Model):
    """What to erase: exactly one of a user, a session or a trace."""

    user: Name | None = None
    session: Name | None = None
    trace: Annotated[str, Field(pattern="^[0-9a-f]{32}$")] | None = None
    dry_run: bool = False

    @model_validator(mode="after")
    def _one(self) -> ErasureIn:
        if sum(one is not None for one in (self.user, self.session, self.trace)) != 1:
            raise ValueError("name exactly one of user, session and trace")
        return self


class ErasureOut(Model):
    """What was erased, or would be. `reclaimed` says that no byte of it is left in the store's files.

    `set_aside` counts spans, scores and logs in exports that could not be stored; `removed` names files of such exports that
    nobody can read, which go whole; `unreached` names damaged pieces of the journal that may still hold something of it.
    """

    dry_run: bool
    traces: int
    spans: int
    scores: int
    pending_logs: int
    first: Time | None
    last: Time | None
    reclaimed: bool
    set_aside: int
    removed: list[str]
    unreached: list[str]
