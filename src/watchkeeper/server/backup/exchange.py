"""Putting a restored folder's files in the place of the old, inside the folder, so that a kill leaves one or the other.

The data folder may be a mount and cannot be renamed, so its files are. A marker says how far it has come; whoever opens
the folder next goes on from there. First all that is old goes aside, then all that is new comes in: no store ever
meets a log it does not belong to.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec

from watchkeeper.kit.errors import StoreError
from watchkeeper.server.backup.snapshot import STAGING
from watchkeeper.server.files import sync, write_whole
from watchkeeper.server.lockfile import LOCK_FILE

__all__ = ["ASIDE", "RESTORED", "exchange", "is_decided", "is_empty", "settle"]

RESTORED = "restore.new"
ASIDE = "before-restore-"
_MARKER = "restore.json"


class _State(msgspec.Struct, frozen=True):
    """`aside`: the folder that takes the old files, None where there are none; `old_is_gone`: new ones come in now."""

    aside: str | None
    old_is_gone: bool = False


def settle(folder: Path) -> None:
    """Finish an exchange that was decided, or clear away one that was not, and scrap of a backup. With the lock held.

    Raises:
        StoreError: the folder cannot be written.
    """
    try:
        marker = folder / _MARKER
        if marker.exists():
            _go_on(folder, msgspec.json.decode(marker.read_bytes(), type=_State))
        for scrap in (RESTORED, STAGING):
            if (folder / scrap).is_dir():
                shutil.rmtree(folder / scrap)
    except (OSError, msgspec.MsgspecError) as error:
        raise StoreError(
            f"a restore of {folder} that was interrupted cannot be finished: {error}", hint="run restore again"
        ) from error


def exchange(folder: Path, aside: str) -> Path | None:
    """Put what is in `RESTORED`, whole and fsynced, in the place of all else; return the folder the old went to.

    Raises:
        OSError: the folder cannot be written; `settle` goes on from wherever it stopped.
    """
    there = None if is_empty(folder) else aside
    state = _State(there)
    write_whole(folder / _MARKER, msgspec.json.encode(state))
    _go_on(folder, state)
    return None if there is None else folder / there


def is_decided(folder: Path) -> bool:
    """Say whether an exchange was begun that `settle` will finish."""
    return (folder / _MARKER).exists()


def is_empty(folder: Path) -> bool:
    """Say whether the folder holds nothing but what a lock, a backup or a restore puts there."""
    return not _old(folder)


def _old(folder: Path) -> list[Path]:
    ours = {LOCK_FILE, RESTORED, STAGING, _MARKER, f"{_MARKER}.partial"}
    return sorted(path for path in folder.iterdir() if path.name not in ours and not path.name.startswith(ASIDE))


def _go_on(folder: Path, state: _State) -> None:
    if not state.old_is_gone:
        if state.aside is not None:
            _move_aside(folder, state.aside)
        state = _State(state.aside, old_is_gone=True)
        write_whole(folder / _MARKER, msgspec.json.encode(state))
    restored = folder / RESTORED
    if restored.is_dir():
        for path in sorted(restored.iterdir()):
            path.replace(folder / path.name)
        sync(folder)
        restored.rmdir()
    (folder / _MARKER).unlink()
    sync(folder)


def _move_aside(folder: Path, name: str) -> None:
    aside = folder / name
    aside.mkdir(mode=0o700, exist_ok=True)
    for path in _old(folder):
        path.replace(aside / path.name)
    sync(aside)
    sync(folder)
