"""The disk-full guard: batches are refused while there is still room for everything else to end well."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

from watchkeeper.kit.errors import StoreFullError

__all__ = ["Room", "free_bytes"]

_FRESH = 0.5
_BACK = 1.05


def free_bytes(folder: Path) -> int:
    """Return the bytes an ordinary user can still write on the folder's file system."""
    return shutil.disk_usage(folder).free


class Room:
    """Says whether there is room to write, by what is free on the store's file system. Any thread.

    Below `least` bytes it refuses, until 5 % more than that are free again: no flapping at the edge. Asked
    of the file system at most twice a second.
    """

    def __init__(self, folder: Path, least: int, free: Callable[[Path], int] = free_bytes) -> None:
        self._folder = folder
        self._least = least
        self._free = free
        self._lock = threading.Lock()
        self._asked = float("-inf")
        self.free = 0
        self.full = False

    def check(self) -> None:
        """Refuse when there is too little room.

        Raises:
            StoreFullError: it says how much is free, and how much must be.
        """
        if self._least <= 0:
            return
        with self._lock:
            if time.monotonic() - self._asked >= _FRESH:
                self._ask()
            full, free = self.full, self.free
        if full:
            raise StoreFullError(
                f"the disk of {self._folder} is nearly full: {free >> 20} MiB free, {self._least >> 20} are kept free",
                hint="free some space, or lower WATCHKEEPER_MIN_FREE_MIB; it goes on by itself",
            )

    def _ask(self) -> None:
        try:
            self.free = self._free(self._folder)
        except OSError:
            return  # a file system that cannot be asked says so when it is written to
        self._asked = time.monotonic()
        self.full = self.free < self._least * (_BACK if self.full else 1)
