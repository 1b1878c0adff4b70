"""The data folder's lockfile: one server a folder, and where it answers."""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from watchkeeper.kit.errors import ConfigError, StoreLockedError

__all__ = ["LOCK_FILE", "Announced", "FolderLock", "announced", "running_server"]

LOCK_FILE = "server.lock"


class FolderLock:
    """Holds the folder while the process lives; the kernel lets go however it ends."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._fd = -1

    def __enter__(self) -> Self:
        """Take the folder, making it where it is missing.

        Raises:
            StoreLockedError: another server holds it; the message says where that one answers.
            ConfigError: the folder cannot be made or written.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._fd = os.open(self._folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise ConfigError(
                f"cannot use the data folder {self._folder}: {error.strerror}", hint="choose another with --data-dir"
            ) from None
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._fd)
            self._fd = -1
            address = running_server(self._folder)
            where = f" (it answers at {address})" if address else ""
            raise StoreLockedError(
                f"another server uses the data folder {self._folder}{where}",
                hint="stop it, or choose another with --data-dir",
            ) from None
        return self

    def announce(self, url: str, proof: str | None = None, cert: Path | None = None) -> None:
        """Write the server's address into the file, and what proves that a caller may read it: only its owner may."""
        told = {"url": url, "pid": os.getpid(), "proof": proof, "cert": None if cert is None else str(cert.absolute())}
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, json.dumps(told).encode(), 0)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go."""
        os.ftruncate(self._fd, 0)
        os.close(self._fd)
        self._fd = -1


@dataclass(frozen=True, slots=True)
class Announced:
    """A running server: its address, the proof that it takes from who can read the folder, and its certificate."""

    url: str
    proof: str | None
    cert: str | None = None


def running_server(folder: Path) -> str | None:
    """Return the address of the server that holds the folder, or None when none does."""
    found = announced(folder)
    return found.url if found is not None else None


def announced(folder: Path) -> Announced | None:
    """Return what the server that holds the folder says of itself, or None when none does."""
    path = folder / LOCK_FILE
    try:
        fd = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            text = os.read(fd, 4096).decode("utf-8", "replace")
            return _address(text)
        return None
    finally:
        os.close(fd)


def _address(text: str) -> Announced | None:
    try:
        value = json.loads(text)
    except ValueError:
        return None
    if not isinstance(value, dict) or not isinstance(value.get("url"), str):
        return None
    return Announced(value["url"], value.get("proof"), value.get("cert"))
