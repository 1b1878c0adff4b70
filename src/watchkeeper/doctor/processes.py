"""Which process has a port or a file, as far as /proc tells this user. Linux; elsewhere nobody is known."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

__all__ = ["Holder", "file_holder", "listener"]

_PROC = Path("/proc")
_LISTEN = "0A"
_INODE, _STATE, _LOCAL = 9, 3, 1
_WORDS, _LONGEST = 4, 60


class Holder(NamedTuple):
    """A process. `program` is the beginning of its command line, without what may be a secret."""

    pid: int
    program: str

    def __str__(self) -> str:
        """Say it as people do."""
        return f"pid {self.pid} ({self.program})"


def listener(port: int) -> Holder | None:
    """Return the process that listens on a TCP port, None where /proc does not say."""
    inodes = {f"socket:[{inode}]" for inode in _listening(port)}
    if not inodes:
        return None
    for pid in _pids():
        if any(_target(one) in inodes for one in _descriptors(pid)):
            return Holder(pid, program_of(pid))
    return None


def file_holder(path: Path) -> Holder | None:
    """Return a process, not this one, that has a lock on a file, None where /proc does not say."""
    try:
        told = path.stat()
        lines = (_PROC / "locks").read_text().splitlines()
    except OSError:
        return None
    name = f"{os.major(told.st_dev):02x}:{os.minor(told.st_dev):02x}:{told.st_ino}"
    for line in lines:
        words = line.split()
        if name in words and "->" not in words:
            pid = int(words[words.index(name) - 1])
            if pid > 0 and pid != os.getpid():
                return Holder(pid, program_of(pid))
    return None


def program_of(pid: int) -> str:
    """Return the first words of a process's command line, up to one that may hold a secret; its name where hidden."""
    try:
        line = (_PROC / str(pid) / "cmdline").read_bytes().decode("utf-8", "replace")
        name = (_PROC / str(pid) / "comm").read_text().strip()
    except OSError:
        return "unknown"
    words = [word for word in line.split("\0") if word][:_WORDS]
    plain = takewhile(lambda word: "=" not in word and "sk-" not in word and len(word) < _LONGEST, words)
    return " ".join([Path(word).name if at == 0 else word for at, word in enumerate(plain)]) or name


def _listening(port: int) -> Iterator[str]:
    for table in ("tcp", "tcp6"):
        try:
            lines = (_PROC / "net" / table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            words = line.split()
            if words[_STATE] == _LISTEN and int(words[_LOCAL].rpartition(":")[2], 16) == port:
                yield words[_INODE]


def _pids() -> Iterator[int]:
    try:
        names = [one.name for one in _PROC.iterdir()]
    except OSError:
        return
    yield from (int(name) for name in names if name.isdigit())


def _descriptors(pid: int) -> list[Path]:
    try:
        return list((_PROC / str(pid) / "fd").iterdir())
    except OSError:
        return []


def _target(descriptor: Path) -> str:
    try:
        return str(descriptor.readlink())
    except OSError:
        return ""
