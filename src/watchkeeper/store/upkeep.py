"""What deleting, giving space back and backing up are asked with, and what they report. Part of `store.api`."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

__all__ = [
    "BackupReport", "ErasedTraces", "ErasureReport", "ExpiryReport", "JournalStats", "KeptFile", "ReclaimReport",
    "Selector", "ServiceRow",
]  # fmt: skip

ErasedTraces: TypeAlias = tuple[tuple[int, int], ...]
"""The marks that erased traces leave: (hash, erased at ns) each. The hash is the backend's own."""


class Selector(msgspec.Struct, frozen=True, kw_only=True):
    """Whose traces to erase: any of these users, sessions or trace ids. Empty selects nothing."""

    users: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()
    traces: tuple[str, ...] = ()


class ErasureReport(msgspec.Struct, frozen=True, kw_only=True):
    """How much was erased, or would be. `first` and `last` are span starts in ns, None where there were no spans.

    `set_aside` counts spans, scores and log records in exports that were set aside; `removed` names files of those that
    nobody can read and that therefore go whole; `unreached` names damaged pieces that may still hold something of it.
    """

    traces: int = 0
    spans: int = 0
    scores: int = 0
    pending_logs: int = 0
    first: int | None = None
    last: int | None = None
    set_aside: int = 0
    removed: tuple[str, ...] = ()
    unreached: tuple[str, ...] = ()


class KeptFile(msgspec.Struct, frozen=True, kw_only=True):
    """Something acknowledged that is not in the store: an export it could not take, or a damaged piece of its journal.

    `since` is when it was kept, or last written, ns.
    """

    name: str
    kind: Literal["refused", "damaged"]
    bytes: int
    since: int


class JournalStats(msgspec.Struct, frozen=True, kw_only=True):
    """What is acknowledged and waits to be stored, and what was set aside; counts of exports, for `damaged` of files.

    `oldest` is the earliest `since` of what was set aside, ns, None where nothing was.
    """

    pending: int = 0
    pending_bytes: int = 0
    refused: int = 0
    refused_bytes: int = 0
    damaged: int = 0
    damaged_bytes: int = 0
    oldest: int | None = None


class ExpiryReport(msgspec.Struct, frozen=True, kw_only=True):
    """What one step of `expire` deleted; `more` says that spans before the time are left."""

    spans: int = 0
    scores: int = 0
    pending_logs: int = 0
    more: bool = False


class ReclaimReport(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes on disk before and after, and whether the file was written anew.

    `held_ns` is how long commits waited at its end.
    """

    before: int = 0
    after: int = 0
    rewritten: bool = False
    seconds: float = 0.0
    held_ns: int = 0


class BackupReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds. `held_ns` is how long commits waited at its end."""

    spans: int = 0
    scores: int = 0
    pending_logs: int = 0
    revision: int = 0
    format_version: int = 0
    held_ns: int = 0


class ServiceRow(msgspec.Struct, frozen=True, kw_only=True):
    """A service of a project that has spans, and the start of its oldest, ns."""

    project: str
    service: str
    oldest: int
