"""Opening stores: the only place that knows the backends, and loads the one that is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from watchkeeper.kit.clock import Clock
from watchkeeper.kit.errors import StoreError
from watchkeeper.model import Span
from watchkeeper.store.api import KeptFile, Refine, SpanStore
from watchkeeper.store.control.peek import check_control_format, key_state, people_and_keys
from watchkeeper.store.control.store import ControlStore

__all__ = [
    "CONTROL_FILE", "SPANS_FILE", "ControlStore", "check_control_format", "foreign_journal", "kept_files", "key_state",
    "open_control_store", "open_span_store", "packed_bytes", "people_and_keys", "stored_format",
]  # fmt: skip

SPANS_FILE = "spans.duckdb"
CONTROL_FILE = "control.sqlite"


def open_span_store(
    folder: Path | None, *, refine: Refine, memory_mib: int = 1024, queue_bytes: int = 64 << 20, min_free: int = 0
) -> SpanStore:
    """Open the spans and scores of a data folder; None keeps them in memory.

    Args:
        folder: the data folder, made where it is missing.
        refine: maps and prices a raw span; called again when a span is amended.
        memory_mib: what the analytic engine may use.
        queue_bytes: what may wait for a commit before batches are refused.
        min_free: bytes of the folder's disk to keep free: with less, batches are refused; 0 keeps none.

    Raises:
        StoreLockedError: another process has the store open.
        StoreFormatError: it was written by a newer release, or is not ours.
        StoreError: the folder cannot be made.
    """
    if folder is None:
        from watchkeeper.store.memory.store import MemoryStore

        return MemoryStore(refine=refine, queue_bytes=queue_bytes)
    from watchkeeper.store.duckdb.store import DuckdbStore

    _make(folder)
    return DuckdbStore(
        folder / SPANS_FILE, refine=refine, memory_mib=memory_mib, queue_bytes=queue_bytes, min_free=min_free
    )


def packed_bytes(spans: Sequence[Span]) -> memoryview:
    """Pack spans for the store of a data folder, in a process that does not hold it."""
    from watchkeeper.store.duckdb.parcel import pack

    return memoryview(pack(spans).to_bytes())


def open_control_store(folder: Path | None, clock: Clock | None = None) -> ControlStore:
    """Open the projects, keys and people of a data folder; None keeps them in memory.

    Raises:
        StoreFormatError: it was written by a newer release.
        StoreError: it cannot be opened.
    """
    if folder is not None:
        _make(folder)
    return ControlStore(None if folder is None else folder / CONTROL_FILE, clock)


def stored_format(path: Path) -> tuple[int, int]:
    """Return the format of a spans file and the newest this release writes, without changing the file.

    Raises:
        StoreFormatError: a newer release wrote it, or it is not one of ours.
        StoreLockedError: another process has it.
        StoreError: it cannot be opened.
    """
    from watchkeeper.store.duckdb import peek

    return peek.stored_format(path)


def kept_files(path: Path) -> tuple[KeptFile, ...]:
    """Return what was acknowledged and set aside beside a spans file, whether a server has it open or not.

    Raises:
        StoreError: it cannot be read.
    """
    from watchkeeper.store.duckdb import peek

    return peek.kept_files(path)


def foreign_journal(path: Path) -> str | None:
    """Return whose journal is beside a spans file that no server has open; None where it is the file's own.

    Raises:
        StoreError: one of them cannot be read.
    """
    from watchkeeper.store.duckdb import peek

    return peek.foreign_journal(path)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"the data folder {folder} cannot be made: {error.strerror}") from error
