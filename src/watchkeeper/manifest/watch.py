"""The manifest as a running server sees it: a changed file is read again, a broken one leaves the last good one in force."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from watchkeeper.kit.errors import ConfigError
from watchkeeper.manifest.policy import Manifest, ServicePolicy
from watchkeeper.manifest.read import load

__all__ = ["ManifestFile"]

_EVERY_SECONDS = 1.0
_log = logging.getLogger("watchkeeper.manifest")


class ManifestFile:
    """Holds the manifest in force. Safe to ask from any thread; asks the disk at most once a second.

    Args:
        path: the file, or None where there is none and `default` holds for every service.
        default: what holds where the file says nothing.
        monotonic: seconds on a clock that never goes back.

    Raises:
        ConfigError: the file is there to begin with and cannot be used.
    """

    def __init__(
        self, path: Path | None, default: ServicePolicy, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.path = path
        self._default = default
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._stamp = _stamp(path)
        self._manifest = load(path, default) if path is not None else Manifest(default=default)
        self._error: str | None = None
        self._next = monotonic() + _EVERY_SECONDS
        self._tell()

    @property
    def error(self) -> str | None:
        """Return why the file as it is now is not in force, None while it is."""
        return self._error

    def current(self) -> Manifest:
        """Return the manifest in force, at most a second behind the file."""
        if self.path is not None and self._monotonic() >= self._next and self._lock.acquire(blocking=False):
            try:
                self._look(self.path)
            finally:
                self._lock.release()
        return self._manifest

    def _look(self, path: Path) -> None:
        self._next = self._monotonic() + _EVERY_SECONDS
        stamp = _stamp(path)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._manifest = load(path, self._default)
        except ConfigError as error:
            self._error = error.message if error.hint is None else f"{error.message} ({error.hint})"
            _log.error("the manifest changed and cannot be used; the last good one holds: %s", self._error)
            return
        self._error = None
        _log.info("the manifest %s was read again", path)
        self._tell()

    def _tell(self) -> None:
        if self._manifest.unused:
            _log.info("keys this release does not act upon yet: %s", ", ".join(self._manifest.unused))


def _stamp(path: Path | None) -> tuple[int, int, int] | None:
    if path is None:
        return None
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
