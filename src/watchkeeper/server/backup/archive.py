"""The backup's file: a zip of a few known members, and last a manifest with the SHA-256 of each.

It is written as a stream and read by name. Nothing in it says where to write: a member that is not of a known name
is refused. The sums find damage; they do not prove who wrote it.
"""

from __future__ import annotations

import hashlib
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import msgspec

from watchkeeper.guard.pseudonyms import SALT_FILE
from watchkeeper.kit.errors import ConfigError, StoreError, StoreFormatError
from watchkeeper.pricing import IMPORTED
from watchkeeper.server.erasure.audit import AUDIT_FILE
from watchkeeper.store.api import Progress
from watchkeeper.store.factory import CONTROL_FILE, SPANS_FILE

__all__ = [
    "FORMAT",
    "MANIFEST",
    "Archive",
    "Facts",
    "Manifest",
    "Member",
    "is_media_member",
    "is_small_member",
    "pack",
    "save",
]

FORMAT = 2
"""Of the archive that holds media; without, it is 1, which older releases read. The stores inside have formats of their own."""

MANIFEST = "backup.json"
_KIND = "watchkeeper-backup"
_STORES = (SPANS_FILE, CONTROL_FILE)
_SMALL = frozenset({AUDIT_FILE, SALT_FILE, IMPORTED})
_TOML = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,100}\.toml")
_MEDIUM = re.compile(r"media\.[a-z0-9][a-z0-9_-]{0,62}\.[0-9a-f]{64}")
_CHUNK = 1 << 20
_MANIFEST_MOST = 64 << 20  # a line for each medium
_LEVEL = 1
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_EPOCH = (1980, 1, 1, 0, 0, 0)
_DAMAGE = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, struct.error, NotImplementedError, RuntimeError,
    ValueError, OverflowError, KeyError,
)  # fmt: skip


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What was backed up. `taken_at` is RFC 3339."""

    watchkeeper: str
    taken_at: str
    store_format: int
    spans: int
    scores: int
    pending_logs: int


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One file of the data folder."""

    name: str
    size: int
    sha256: str


class Manifest(Facts, frozen=True, kw_only=True):
    """What the archive holds; its last member."""

    kind: str
    format: int
    members: tuple[Member, ...]


class _Head(msgspec.Struct, frozen=True):
    """What every format's manifest begins with."""

    kind: str
    format: int
    watchkeeper: str = "?"


def is_media_member(name: str) -> bool:
    """Say whether a member is a medium: `media.PROJECT.SHA256`."""
    return _MEDIUM.fullmatch(name) is not None


def is_small_member(name: str) -> bool:
    """Say whether a file of the data folder is backed up beside the stores: ours, or a person's own table or manifest."""
    return name in _SMALL or _TOML.fullmatch(name) is not None


def pack(facts: Facts, files: Sequence[Path]) -> Iterator[bytes]:
    """Yield the archive of these files, in bounded memory.

    Raises:
        StoreError: a file cannot be read.
    """
    sink = _Sink()
    members: list[Member] = []
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, allowZip64=True, compresslevel=_LEVEL) as out:
        for path in files:
            summed, size = hashlib.sha256(), 0
            with path.open("rb") as source, out.open(_info(path.name), "w", force_zip64=True) as member:
                while chunk := source.read(_CHUNK):
                    summed.update(chunk)
                    size += len(chunk)
                    member.write(chunk)
                    yield sink.take()
            members.append(Member(name=path.name, size=size, sha256=summed.hexdigest()))
        newest = FORMAT if any(is_media_member(member.name) for member in members) else 1
        manifest = Manifest(kind=_KIND, format=newest, members=tuple(members), **msgspec.structs.asdict(facts))
        out.writestr(_info(MANIFEST), msgspec.json.format(msgspec.json.encode(manifest)))
    yield sink.take()


def save(chunks: Iterator[bytes], out: IO[bytes]) -> tuple[int, str]:
    """Write chunks; return the bytes and their SHA-256."""
    summed, size = hashlib.sha256(), 0
    for chunk in chunks:
        out.write(chunk)
        summed.update(chunk)
        size += len(chunk)
    return size, summed.hexdigest()


def _info(name: str) -> zipfile.ZipInfo:
    # No times, no owner: the folder's are nobody's business, and equal content makes equal bytes.
    info = zipfile.ZipInfo(name, _EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o600 << 16
    return info


class _Sink:
    """Where `zipfile` writes; it cannot seek, so it streams."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes, /) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Do nothing: `take` takes all."""

    def close(self) -> None:
        """Do nothing: there is no file."""

    def take(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


class Archive:
    """A backup that is being read. Every fault in it is a `StoreFormatError`."""

    def __init__(self, file: zipfile.ZipFile, name: str) -> None:
        self._zip = file
        self._name = name
        with self._blaming():
            self.manifest = self._read_manifest()
            self._check_members()

    @classmethod
    @contextmanager
    def opened(cls, path: Path) -> Iterator[Archive]:
        """Open it and read its manifest.

        Raises:
            ConfigError: there is no such file.
            StoreFormatError: it is not a backup, is cut short, or is of a newer format.
        """
        try:
            file = path.open("rb")
        except OSError as error:
            raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
        with file:
            try:
                archive = zipfile.ZipFile(file)
            except _DAMAGE:
                raise StoreFormatError(f"{path} is not a backup, or was cut short", hint="take another one") from None
            with archive:
                yield cls(archive, str(path))

    @property
    def size(self) -> int:
        """Return the bytes of its members, unpacked."""
        return sum(member.size for member in self.manifest.members)

    def verify(self, progress: Progress) -> None:
        """Read it all and compare every sum; nothing is written."""
        self._read_all(None, progress)

    def extract(self, folder: Path, progress: Progress) -> None:
        """Write its members into an empty folder, fsynced, and compare the sums again.

        Raises:
            OSError: they cannot be written.
        """
        self._read_all(folder, progress)

    def _read_manifest(self) -> Manifest:
        info = self._zip.getinfo(MANIFEST)
        if info.file_size > _MANIFEST_MOST:
            raise self._bad("its manifest is too large")
        with self._zip.open(info) as source:
            text = source.read(_MANIFEST_MOST)
        head = msgspec.json.decode(text, type=_Head)
        if head.kind != _KIND:
            raise self._bad("its manifest is of something else")
        if head.format > FORMAT:
            raise StoreFormatError(
                f"{self._name} has backup format {head.format}, written by watchkeeper {head.watchkeeper[:40]}; "
                f"this release reads up to {FORMAT}",
                hint="upgrade watchkeeper, then restore",
            )
        return msgspec.json.decode(text, type=Manifest)

    def _check_members(self) -> None:
        entries = self._zip.infolist()
        listed = [member.name for member in self.manifest.members]
        for entry in entries:
            name = entry.filename
            if name not in {*_STORES, MANIFEST} and not is_small_member(name) and not is_media_member(name):
                raise self._bad(f"it holds {entry.filename[:100]!r}, which no backup does")
            if entry.flag_bits & 1 or entry.compress_type not in _METHODS:
                raise self._bad(f"{entry.filename} is packed in a way backups are not")
        if sorted(entry.filename for entry in entries) != sorted([*listed, MANIFEST]):
            raise self._bad("its manifest lists other files than it holds")
        missing = [name for name in _STORES if name not in listed]
        if missing:
            raise self._bad(f"{missing[0]} is missing")
        for member in self.manifest.members:
            if is_media_member(member.name) and not member.name.endswith(member.sha256):
                raise self._bad(f"{member.name[:100]} has another SHA-256 than its name says")
            if member.size != self._zip.getinfo(member.name).file_size:
                raise self._bad(f"{member.name} has another size than the manifest says")

    def _read_all(self, folder: Path | None, progress: Progress) -> None:
        done = 0
        for member in self.manifest.members:
            if folder is None:
                done = self._read(member, None, done, progress)
                continue
            fd = os.open(folder / member.name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(fd, "wb") as out:
                done = self._read(member, out, done, progress)
                out.flush()
                os.fsync(out.fileno())

    def _read(self, member: Member, out: IO[bytes] | None, done: int, progress: Progress) -> int:
        summed, size = hashlib.sha256(), 0
        for chunk in self._chunks(member.name):
            size += len(chunk)
            if size > member.size:
                raise self._bad(f"{member.name} is larger than the manifest says")
            summed.update(chunk)
            if out is not None:
                out.write(chunk)
            progress(done + size, self.size)
        if size != member.size or summed.hexdigest() != member.sha256:
            raise self._bad(f"{member.name} does not have the SHA-256 of the manifest")
        return done + size

    def _chunks(self, name: str) -> Iterator[bytes]:
        with self._blaming(), self._zip.open(name) as source:
            while chunk := source.read(_CHUNK):
                yield chunk

    @contextmanager
    def _blaming(self) -> Iterator[None]:
        try:
            yield
        except StoreError:
            raise
        except (*_DAMAGE, msgspec.MsgspecError) as error:
            raise self._bad(_said(error)) from None

    def _bad(self, why: str) -> StoreFormatError:
        return StoreFormatError(f"{self._name} is damaged or not a backup: {why}", hint="use another backup")


def _said(error: BaseException) -> str:
    if isinstance(error, KeyError):
        return "it has no manifest"
    text: Any = str(error).splitlines()
    return str(text[0])[:200] if text else type(error).__name__
