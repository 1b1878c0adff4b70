"""The bytes of media: one file each, named by project and SHA-256, readable by their owner alone."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from watchkeeper.kit.errors import RequestError, StoreError, StoreFullError
from watchkeeper.kit.ids import new_id
from watchkeeper.server.files import is_full, sync

__all__ = ["MEDIA_FOLDER", "Incoming", "MediaFiles", "media_id"]

MEDIA_FOLDER = "media"
"""The folder in the data folder that holds them: `media/PROJECT/AB/SHA256`."""

_PARTIAL = ".partial"
_PROJECT = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def media_id(sha256: str) -> str:
    """Return the id of bytes, by the hex digits of their SHA-256: the rule by which Langfuse's SDKs name them."""
    return base64.urlsafe_b64encode(bytes.fromhex(sha256)).decode()[:22]


class Incoming:
    """A file that is being received; nothing of it is seen until `keep`."""

    def __init__(self, partial: Path, target: Path, sha256: str, size: int) -> None:
        self._partial = partial
        self._target = target
        self._sha256 = sha256
        self._size = size
        self._summed = hashlib.sha256()
        self._done = 0
        with _told():
            _make_all(target)
            fd = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        self._out = os.fdopen(fd, "wb")

    def write(self, chunk: bytes) -> None:
        """Take some bytes.

        Raises:
            RequestError: they are more than were announced.
            StoreFullError: there is no room.
        """
        self._done += len(chunk)
        if self._done > self._size:
            raise RequestError(f"more than the announced {self._size} bytes were sent")
        self._summed.update(chunk)
        with _told():
            self._append(chunk)

    def _append(self, chunk: bytes) -> None:
        self._out.write(chunk)

    def verify(self) -> None:
        """Make it durable, and see that it is what was announced.

        Raises:
            RequestError: the bytes are not those that were announced.
            StoreFullError: there is no room.
        """
        if self._done != self._size or self._summed.hexdigest() != self._sha256:
            raise RequestError("the bytes do not have the announced length and SHA-256")
        with _told():
            self._out.flush()
            os.fsync(self._out.fileno())

    def keep(self) -> None:
        """Give it its name, durably. After `verify`."""
        with _told():
            self._partial.replace(self._target)
            sync(self._target.parent)

    def close(self) -> None:
        """Let go of it; without `keep` before, nothing is left of it."""
        with suppress(OSError):  # what could not be written is thrown away
            self._out.close()
        self._partial.unlink(missing_ok=True)


class MediaFiles:
    """The files of one data folder; without one they stand in a folder for scrap until the end. Any thread."""

    def __init__(self, folder: Path | None) -> None:
        self._scrap = tempfile.TemporaryDirectory(prefix="watchkeeper-media-") if folder is None else None
        self.root = (Path(self._scrap.name) if self._scrap is not None else folder or Path()) / MEDIA_FOLDER

    def begin(self, project: str, sha256: str, size: int) -> Incoming:
        """Begin to receive a file.

        Raises:
            StoreFullError: there is no room.
            StoreError: the folder cannot be written.
        """
        return Incoming(self.root / f"{new_id()}{_PARTIAL}", self.path(project, sha256), sha256, size)

    def path(self, project: str, sha256: str) -> Path:
        """Return where the bytes of this SHA-256 are, if they are there."""
        if not _PROJECT.fullmatch(project) or not _SHA256.fullmatch(sha256):
            raise StoreError("a medium's name is not one")
        return self.root / project / sha256[:2] / sha256

    def adopt(self, project: str, sha256: str, path: Path) -> None:
        """Take a file of the same file system, durable already, as the bytes of this SHA-256.

        Raises:
            StoreError: the folder cannot be written.
        """
        target = self.path(project, sha256)
        with _told():
            _make_all(target)
            path.replace(target)
            sync(target.parent)

    def all(self) -> Iterator[tuple[str, str, Path]]:
        """Yield project, SHA-256 and path of every file."""
        for path in sorted(self.root.glob("*/*/*")):
            if _SHA256.fullmatch(path.name) and path.is_file() and not path.is_symlink():
                yield path.parts[-3], path.name, path

    def delete(self, project: str, sha256: str) -> None:
        """Delete a file, if it is there.

        Raises:
            StoreError: it cannot be deleted.
        """
        with _told():
            self.path(project, sha256).unlink(missing_ok=True)

    def clear(self) -> None:
        """Delete what uploads left that a kill cut off. Before the first upload."""
        for path in self.root.glob(f"*{_PARTIAL}"):
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """Delete all of it, where there is no data folder."""
        if self._scrap is not None:
            self._scrap.cleanup()


def _make_all(target: Path) -> None:
    """Make `media/PROJECT/AB` where it is missing, durably."""
    for folder in (target.parents[2], target.parents[1], target.parents[0]):
        if not folder.is_dir():
            folder.mkdir(mode=0o700, exist_ok=True)
            sync(folder.parent)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if is_full(error):
            raise StoreFullError("no space left for media", hint="free some space") from error
        raise StoreError(f"media cannot be written: {error.strerror}") from error
