"""When a backup was last taken whole, noted in the data folder for whoever asks how old it is."""

from __future__ import annotations

import logging
from pathlib import Path

import msgspec

from watchkeeper.kit.clock import parse_rfc3339
from watchkeeper.server.files import write_whole

__all__ = ["BACKUP_FILE", "last_backup", "note_backup"]

BACKUP_FILE = "last-backup.json"
_log = logging.getLogger("watchkeeper.server")


class _Record(msgspec.Struct, frozen=True):
    taken_at: str


def note_backup(folder: Path, taken_at: str) -> None:
    """Note that one, as of this time (RFC 3339), left the folder whole. A folder that cannot be written is only logged."""
    try:
        write_whole(folder / BACKUP_FILE, msgspec.json.encode(_Record(taken_at)))
    except OSError as error:
        _log.warning("the backup's time cannot be noted in %s: %s", folder, error.strerror)


def last_backup(folder: Path) -> int | None:
    """Return of when the last one is, ns; None where none was noted, or the note cannot be read."""
    try:
        return parse_rfc3339(msgspec.json.decode((folder / BACKUP_FILE).read_bytes(), type=_Record).taken_at)
    except (OSError, msgspec.MsgspecError, ValueError):
        return None
