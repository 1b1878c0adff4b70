"""WKD6xx: can the data folder be written, by us alone, and is there room?"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from watchkeeper.doctor.findings import Finding, Rule
from watchkeeper.doctor.scene import Scene

__all__ = ["RULES", "check"]

MIB = 1 << 20
_MOST_NAMES = 20

ROOM = Rule("WKD600", "ok", "disk space", "There is room: at least twice what is kept free.")
FULL = Rule(
    "WKD601", "fail", "disk space", "Less is free than WATCHKEEPER_MIN_FREE_MIB: ingest is refused until there is more.",
    "free some space, or lower WATCHKEEPER_MIN_FREE_MIB",
)  # fmt: skip
NEARLY = Rule(
    "WKD602", "warn", "disk space", "Less than twice what is kept free: ingest will soon be refused.",
    "free some space, or keep less: WATCHKEEPER_RETENTION=30d",
)  # fmt: skip
NO_INODES = Rule(
    "WKD603", "fail", "disk space", "The file system has no inodes left: no file can be made, however much is free.",
    "delete files; df -i shows the use",
)  # fmt: skip
WRITABLE = Rule("WKD610", "ok", "data folder", "This user can write the data folder, and no other can read it.")
NO_FOLDER = Rule("WKD611", "ok", "data folder", "There is no data folder yet; `watchkeeper serve` makes it.")
CANNOT_MAKE = Rule(
    "WKD612", "fail", "data folder", "The data folder does not exist, and this user may not make it.",
    "watchkeeper serve --data-dir FOLDER", "config",
)  # fmt: skip
NOT_WRITABLE = Rule(
    "WKD613", "fail", "data folder", "This user may not write the data folder.", "sudo chown -R USER FOLDER", "config"
)
READ_ONLY = Rule(
    "WKD614", "fail", "data folder", "The data folder is on a file system that is mounted read-only.",
    "sudo mount -o remount,rw MOUNT, or watchkeeper serve --data-dir FOLDER",
)  # fmt: skip
NO_DIRECTORY = Rule(
    "WKD615", "fail", "data folder", "What is named as the data folder is no folder.",
    "watchkeeper serve --data-dir FOLDER", "config",
)  # fmt: skip
FOREIGN_FILES = Rule(
    "WKD616", "fail", "data folder", "Files in it cannot be written by this user: the server once ran as another.",
    "sudo chown -R USER FOLDER", "config",
)  # fmt: skip
READABLE = Rule(
    "WKD617", "warn", "data folder", "Other users of this machine can read what is stored: prompts and answers.",
    "chmod -R go= FOLDER", "config",
)  # fmt: skip
RULES = (
    ROOM, FULL, NEARLY, NO_INODES, WRITABLE, NO_FOLDER, CANNOT_MAKE, NOT_WRITABLE, READ_ONLY, NO_DIRECTORY,
    FOREIGN_FILES, READABLE,
)  # fmt: skip


def check(scene: Scene) -> Iterator[Finding]:
    """Look at the data folder and the file system it is on, or would be on."""
    folder = scene.folder
    yield _folder(folder)
    there = _nearest(folder)
    try:
        told = os.statvfs(there)
    except OSError:
        return  # the folder's own finding has said so
    yield _space(there, told.f_bavail * told.f_frsize, scene.server.min_free_mib * MIB)
    if told.f_files and not told.f_favail:
        yield NO_INODES.found(there)


def _space(where: Path, free: int, least: int) -> Finding:
    what = f"{free // MIB:,} MiB free, {least // MIB:,} are kept free"
    if free < least:
        return FULL.found(where, what)
    return (NEARLY if free < 2 * least else ROOM).found(where, what)


def _folder(folder: Path) -> Finding:
    try:
        told = folder.stat()
    except (FileNotFoundError, NotADirectoryError):
        return _unmade(folder)
    except OSError as error:
        return NOT_WRITABLE.found(folder, f"it cannot be looked at: {error.strerror}", _chown(folder))
    if not stat.S_ISDIR(told.st_mode):
        return NO_DIRECTORY.found(folder)
    trouble = _may_write(folder)
    if trouble is None:
        return _files(folder, told)
    if trouble == errno.EROFS:
        return READ_ONLY.found(folder)
    return NOT_WRITABLE.found(folder, f"it belongs to {_user(told.st_uid)}", _chown(folder))


def _unmade(folder: Path) -> Finding:
    parent = _nearest(folder)
    if parent.is_dir() and _may_write(parent) is None:
        return NO_FOLDER.found(folder)
    return CANNOT_MAKE.found(folder, f"{parent} cannot be written by {_user(os.geteuid())}, or is no folder")


def _files(folder: Path, told: os.stat_result) -> Finding:
    foreign = [one for one in sorted(folder.iterdir())[:_MOST_NAMES] if one.is_file() and _may_write(one) is not None]
    if foreign:
        owner = _user(foreign[0].stat().st_uid)
        return FOREIGN_FILES.found(folder, f"{foreign[0].name} belongs to {owner}", _chown(folder))
    if told.st_mode & 0o077:
        return READABLE.found(folder, f"its mode is {stat.S_IMODE(told.st_mode):o}", f"chmod -R go= {folder}")
    return WRITABLE.found(folder, "written and read by this user alone")


def _may_write(path: Path) -> int | None:
    """Return why this user could not write there (an errno), None where it could. Nothing is written."""
    needed = os.W_OK | os.X_OK if path.is_dir() else os.W_OK
    if os.access(path, needed, effective_ids=os.access in os.supports_effective_ids):
        return None
    try:
        flags = os.statvfs(path).f_flag
    except OSError as error:
        return error.errno or errno.EACCES
    return errno.EROFS if flags & os.ST_RDONLY else errno.EACCES


def _nearest(folder: Path) -> Path:
    """Return the folder, else the nearest one above it that exists."""
    absolute = folder.absolute()
    return next((one for one in (absolute, *absolute.parents) if one.exists()), absolute)


def _chown(folder: Path) -> str:
    return f"sudo chown -R {_user(os.geteuid())} {folder}"


def _user(uid: int) -> str:
    try:
        import pwd

        return pwd.getpwuid(uid).pw_name
    except (ImportError, KeyError):
        return str(uid)
