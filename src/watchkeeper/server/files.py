"""Writing files so that they are whole on disk, or not there."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from watchkeeper.kit.errors import ConfigError

__all__ = ["is_full", "replacing", "sync", "write_whole"]

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def is_full(error: OSError) -> bool:
    """Say whether it failed for want of space."""
    return error.errno in _FULL


def sync(path: Path) -> None:
    """Make a file's content, or a folder's names, durable."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


@contextmanager
def replacing(target: Path) -> Iterator[IO[bytes]]:
    """Write `target.partial`, readable by its owner alone; at the end it is fsynced and takes the target's name.

    When the block fails, nothing of it is left. What a kill leaves is overwritten the next time.

    Raises:
        ConfigError: somebody else is writing it.
        OSError: it cannot be written.
    """
    partial = target.with_name(f"{target.name}.partial")
    # Not truncated yet: it may be another's. Never through a link that somebody laid there.
    fd = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    with os.fdopen(fd, "r+b") as out:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ConfigError(f"{partial} is being written by another process", hint="wait for it to end") from None
        try:
            os.fchmod(fd, 0o600)
            out.truncate(0)
            yield out
            out.flush()
            os.fsync(fd)
            partial.replace(target)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
    sync(target.parent)


def write_whole(target: Path, content: bytes) -> None:
    """Write a small file, whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    with replacing(target) as out:
        out.write(content)
