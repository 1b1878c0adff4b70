"""Giving space back: DuckDB never shrinks a file and leaves deleted bytes in it, so the file is written anew.

Measured on DuckDB 2.0: after a DELETE of half the rows a checkpoint made the file larger, VACUUM did nothing,
and the deleted text stood in the free blocks. So the live rows are copied to a new file (`copy`) that takes
the old one's place (`swap`).
"""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path

import duckdb

from watchkeeper.kit.errors import StoreError, StoreFullError
from watchkeeper.store.api import ReclaimReport
from watchkeeper.store.duckdb import statements
from watchkeeper.store.duckdb.copy import Copier
from watchkeeper.store.duckdb.engine import translated
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

    def __init__(self, path: Path, writer: Writer, copier: Copier) -> None:
        self._path = path
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
        self._check_room(used)
        held = [0.0]

        def swap() -> None:
            held[0] = time.monotonic()
            self._writer.move(lambda: take_place(self._path))
            held[0] = time.monotonic() - held[0]

        try:
            self._copier.copy(fresh_path(self._path), swap, lambda _done, _all: None)
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

    def _check_room(self, used: int) -> None:
        free = shutil.disk_usage(self._path.parent).free
        if free < used * _SLACK:
            raise StoreFullError(
                f"to give space back the store is written anew, which needs {int(used * _SLACK):,} bytes; {free:,} are free",
                hint="free some space, or restore a backup on a larger disk",
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
