"""Giving space back: DuckDB never shrinks a file and leaves deleted bytes in it, so the file is written anew.

Measured on DuckDB 2.0: after a DELETE of half the rows a checkpoint made the file larger, VACUUM did nothing,
and the deleted text stood in the free blocks. So the live rows are copied to a new file (`copy`) that takes
the old one's place (`swap`).
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

from watchkeeper.kit.errors import StoreError, StoreFullError
from watchkeeper.store.api import BackupReport, Progress, ReclaimReport
from watchkeeper.store.duckdb import statements
from watchkeeper.store.duckdb.copy import Copier
from watchkeeper.store.duckdb.engine import FORMAT_VERSION, translated
from watchkeeper.store.duckdb.swap import fresh_path, recover, take_place
from watchkeeper.store.duckdb.writer import Writer

__all__ = ["Space", "sizes_of"]

_SHARE = 0.25
_LEAST = 64 << 20
_SLACK = 1.1


def sizes_of(path: Path) -> tuple[int, int]:
    """Return the bytes of the store's file with its log, and of the log alone."""
    log = _size(path.with_name(path.name + ".wal"))
    return _size(path) + log, log


class Space:
    """Knows what could be given back, and gives it."""

    def __init__(self, path: Path, writer: Writer, copier: Copier, keep_free: int = 0) -> None:
        self._path = path
        self._keep_free = keep_free
        self._writer = writer
        self._copier = copier
        self._one = threading.Lock()

    def reclaim(self, *, force: bool) -> ReclaimReport:
        """Write the file anew where it is worth it; see `SpanStore.reclaim`."""
        if not self._one.acquire(blocking=False):
            raise StoreError("the store is being rewritten already", hint="wait for it to end")
        try:
            return self._reclaim(force=force)
        finally:
            self._one.release()

    def _reclaim(self, *, force: bool) -> ReclaimReport:
        began, before = time.monotonic(), sizes_of(self._path)[0]
        used, free = self._writer.do(_blocks).result()
        worth = free >= _LEAST and free > _SHARE * (used + free)
        if not (force or worth):
            return ReclaimReport(before=before, after=before)
        _check_room(self._path.parent, used, "to give space back the store is written anew")
        held = [0.0]

        def swap() -> None:
            held[0] = time.monotonic()
            self._writer.move(lambda: take_place(self._path))
            held[0] = time.monotonic() - held[0]

        try:
            self._copier.copy(fresh_path(self._path), swap, lambda _done, _all: None, same=True)
        except StoreError:
            if not self._writer.is_broken:
                with translated():
                    recover(self._path)
            raise
        after = sizes_of(self._path)[0]
        self._writer.counts.reclaimed_bytes += max(0, before - after)
        return ReclaimReport(
            before=before, after=after, rewritten=True, seconds=time.monotonic() - began,
            held_ns=int(held[0] * 1e9),
        )  # fmt: skip

    def backup(self, target: Path, together: Callable[[], None], progress: Progress) -> BackupReport:
        """Write what lives to a new file; see `SpanStore.backup`. Waits where the store is being rewritten."""
        with self._one:
            used, _ = self._writer.do(_blocks).result()
            _check_room(target.parent, used, "a backup is a copy of the store first", beside=self._keep_free)

            def last() -> BackupReport:
                began, counts = time.monotonic_ns(), self._writer.counts
                together()
                return BackupReport(
                    spans=counts.spans, scores=counts.scores, pending_logs=counts.pending_logs,
                    revision=counts.revision, format_version=FORMAT_VERSION, held_ns=time.monotonic_ns() - began,
                )  # fmt: skip

            return self._copier.copy(target, last, progress, same=False)


def _check_room(folder: Path, used: int, why: str, *, beside: int = 0) -> None:
    free, needed = shutil.disk_usage(folder).free, int(used * _SLACK) + beside
    if free < needed:
        raise StoreFullError(
            f"{why}, which needs {needed:,} bytes; {free:,} are free",
            hint="free some space, or move the data folder to a larger disk",
        )


def _blocks(db: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    """Return the bytes of used and of free blocks, once what was deleted is checkpointed."""
    db.execute(statements.CHECKPOINT)
    used, free = db.execute(statements.BLOCKS).fetchall()[0]
    return int(used), int(free)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
