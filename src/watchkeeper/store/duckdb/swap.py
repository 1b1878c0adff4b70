"""Putting a freshly written file in the place of the store's, so that a kill at any moment leaves one whole store.

The new file is complete and fsynced before the marker is; once the marker is durable the swap will be
finished, by whoever opens the store next. Until then a new file is scrap and is deleted. The old log
goes before the new file takes the name: a log must never meet a file it does not belong to.
"""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["fresh_path", "recover", "sync_folder", "take_place"]


def fresh_path(path: Path) -> Path:
    """Return where the new file is written."""
    return path.with_name(path.name + ".new")


def recover(path: Path) -> None:
    """Finish a swap that was decided, or clear away one that was not. Before the store is opened.

    Raises:
        OSError: the folder cannot be written.
    """
    fresh = fresh_path(path)
    if _marker(path).exists():
        _finish(path)
    else:
        for scrap in (fresh, fresh.with_name(fresh.name + ".wal")):
            scrap.unlink(missing_ok=True)


def take_place(path: Path) -> None:
    """Decide and finish the swap. The new file is whole and on disk, and nobody writes to the old.

    Raises:
        OSError: the folder cannot be written; `recover` goes on from wherever it stopped.
    """
    _sync(fresh_path(path))
    marker = _marker(path)
    marker.touch()
    _sync(marker)
    sync_folder(path.parent)
    _finish(path)


def sync_folder(folder: Path) -> None:
    """Make names in a folder durable."""
    _sync(folder)


def _finish(path: Path) -> None:
    fresh = fresh_path(path)
    if fresh.exists():
        path.with_name(path.name + ".wal").unlink(missing_ok=True)
        sync_folder(path.parent)
        fresh.replace(path)
        sync_folder(path.parent)
    _marker(path).unlink(missing_ok=True)
    sync_folder(path.parent)


def _marker(path: Path) -> Path:
    return path.with_name(path.name + ".swap")


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
