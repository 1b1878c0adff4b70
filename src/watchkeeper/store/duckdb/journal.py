"""The journal: what was acknowledged and is not in the database yet, in append-only, fsynced segments.

A segment is a file of entries, each `magic, number, length, checksum` and a payload. Numbers only grow; the first,
numbered 0, says whose journal it is (segments of earlier releases have none, and are taken for the store's own).
The database notes the last entry it holds in the transaction that brings it (`folded`), so each entry is
stored exactly once however the server ended. A torn tail was never acknowledged and is cut off; segments
whose entries are all in the database are deleted, those with a damaged entry kept as `.damaged`.
"""

from __future__ import annotations

import logging
import os
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, TypeAlias

import msgspec
import pyarrow as pa
from xxhash import xxh3_64

from watchkeeper.kit.errors import StoreForeignError
from watchkeeper.model import Score
from watchkeeper.store import codec
from watchkeeper.store.api import WriteBatch
from watchkeeper.store.duckdb.parcel import Parcel, pack, unpack
from watchkeeper.store.duckdb.swap import sync_folder

__all__ = [
    "DAMAGED", "PARTIAL", "REFUSED", "UNREADABLE", "Journal", "journal_path", "owner_of", "packed_batch", "read_entry",
    "unpacked_batch", "write_entry",
]  # fmt: skip

Buffer: TypeAlias = "bytes | memoryview | pa.Buffer"

_log = logging.getLogger(__name__)
REFUSED, DAMAGED, PARTIAL = ".refused", ".damaged", ".partial"
_MAGIC = b"WKJ1"
_HEAD = struct.Struct("<4sQQQ")
_SEGMENT = 64 << 20
_AGE = 10.0
_MOST_BUFFERS = 512
_OWNER_MOST = 256
_GAP = (
    "%s goes on at entry %d, and the database ends at %d: what was between was refused for want of space, or is in neither "
    "where an older copy of the database was put here"
)
UNREADABLE = (msgspec.MsgspecError, pa.ArrowException, ValueError, KeyError)
"""What `unpacked_batch` and `read_entry` raise of bytes that are not what they should be."""


def journal_path(path: Path) -> Path:
    """Return the folder of a store's journal."""
    return path.with_name(path.name + ".journal")


@dataclass(slots=True)
class _Segment:
    path: Path
    last: int
    size: int = 0
    damaged: bool = False
    begun: float = field(default_factory=time.monotonic)


class Journal:
    """Segments in a folder. One thread appends, another says what is folded; `size` is for any."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._appending = threading.Lock()
        self._closed: list[_Segment] = []
        self._open: _Segment | None = None
        self._fd = -1
        self._last = 0
        self._store = ""

    @property
    def last(self) -> int:
        """Return the number of the last entry there was."""
        return self._last

    @property
    def size(self) -> int:
        """Return the bytes on disk."""
        with self._lock:
            return sum(one.size for one in (*self._closed, *([self._open] if self._open else [])))

    def recover(self, folded: int, store: str = "") -> Iterator[tuple[int, WriteBatch]]:
        """Yield the entries after `folded`, as they were appended, one in memory at a time. Before anything is appended.

        Args:
            folded: the last entry that the database holds.
            store: whose journal it is, "" for nobody's: its segments are marked with it.

        Raises:
            StoreForeignError: a segment is another store's; nothing was touched.
            OSError: the folder cannot be read or made.
        """
        self._folder.mkdir(exist_ok=True)
        sync_folder(self._folder.parent)
        self._last, self._store = folded, store
        paths = sorted(self._folder.glob("*.seg"))
        for path in paths if store else ():
            self._check_owner(path)
        for path in paths:
            segment = _Segment(path, 0, size=path.stat().st_size)
            with path.open("rb") as file:
                for number, payload in _entries(segment, file):
                    if number > folded and self._last == folded < number - 1 and not segment.last > folded:
                        _log.warning(_GAP, self._folder, number, folded)
                    segment.last = max(segment.last, number)
                    if number > folded and (batch := self._readable(number, payload)) is not None:
                        yield number, batch
            if segment.last == 0:  # nothing to fold, and its name may be the next segment's
                _let_go(segment)
                continue
            self._last = max(self._last, segment.last)
            with self._lock:
                self._closed.append(segment)

    def _check_owner(self, path: Path) -> None:
        owner = owner_of(path)
        if owner not in {"", self._store}:
            raise StoreForeignError(
                f"the journal {self._folder} belongs to another store ({owner}) than the database beside it "
                f"({self._store}): it holds what was acknowledged for that one",
                hint=f"put the database back that it belongs to, or move it away: mv {self._folder} {self._folder}.other",
            )

    def append(self, payloads: Sequence[Sequence[Buffer]]) -> list[int]:
        """Append entries, each given as buffers, and return their numbers once they are on disk.

        Raises:
            OSError: they are not; nothing of them will be acknowledged.
        """
        with self._appending:
            return self._append(payloads)

    def trim(self, folded: int, *, idle: bool = False) -> None:
        """Delete what is in the database up to this entry. The open segment only when idle, old or large."""
        with self._lock:
            one = self._open
            spent = one is not None and one.last <= folded and (idle or time.monotonic() - one.begun > _AGE)
            if spent and self._appending.acquire(blocking=False):
                self._close_open()
                self._appending.release()
            gone = [segment for segment in self._closed if segment.last <= folded]
            self._closed = [segment for segment in self._closed if segment.last > folded]
        for segment in gone:
            _let_go(segment)

    def set_aside(self, number: int, batch: WriteBatch) -> Path:
        """Keep an entry that cannot be stored beside the segments, and return where.

        Raises:
            OSError: it cannot be written.
        """
        return self._keep(number, packed_batch(batch))

    def _readable(self, number: int, payload: bytes) -> WriteBatch | None:
        try:
            return unpacked_batch(memoryview(payload))
        except UNREADABLE as error:
            where = self._keep(number, [payload])
            _log.error("an acknowledged export cannot be read and is kept in %s: %s", where, error)
            return None

    def _keep(self, number: int, parts: Sequence[Buffer]) -> Path:
        path = self._folder / f"{number:020d}{REFUSED}"
        if path.exists():
            if path.read_bytes() == b"".join(bytes(part) for part in _entry(number, parts)):
                return path  # a start before this one has kept it already
            path = self._folder / f"{number:020d}.{time.time_ns()}{REFUSED}"  # no kept file replaces another
        write_entry(path, number, parts)
        return path

    def close(self, folded: int) -> None:
        """Let go of the files; what is folded is deleted."""
        self.trim(folded, idle=True)
        with self._lock:
            if self._open is not None:
                self._close_open()

    def _append(self, payloads: Sequence[Sequence[Buffer]]) -> list[int]:
        segment = self._segment()
        numbers = list(range(self._last + 1, self._last + 1 + len(payloads)))
        self._last = numbers[-1]
        named = _entry(0, [self._store.encode()]) if self._store and not segment.size else []
        buffers = named + [one for pair in zip(numbers, payloads, strict=True) for one in _entry(*pair)]
        try:
            _write(self._fd, buffers)
            os.fdatasync(self._fd)
        except OSError:
            self._give_up(segment)
            raise
        with self._lock:
            segment.last = numbers[-1]
            segment.size += sum(len(one) for one in buffers)
        return numbers

    def _segment(self) -> _Segment:
        with self._lock:
            if self._open is not None and self._open.size < _SEGMENT:
                return self._open
            if self._open is not None:
                self._close_open()
            path = self._folder / f"{self._last + 1:020d}.seg"
            self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            self._open = _Segment(path, self._last)
        sync_folder(self._folder)
        return self._open

    def _give_up(self, segment: _Segment) -> None:
        """Cut off what failed and write to this segment no more: after a failed fsync its pages are not to be trusted."""
        with self._lock:
            try:
                os.ftruncate(self._fd, segment.size)
            except OSError:
                _log.warning("the journal keeps a torn tail in %s", segment.path)
            self._close_open()

    def _close_open(self) -> None:
        if self._open is not None:
            self._closed.append(self._open)
            self._open = None
            os.close(self._fd)
            self._fd = -1


def packed_batch(batch: WriteBatch) -> list[Buffer]:
    """Return a batch as the buffers of an entry."""
    parcel = batch.parcel if isinstance(batch.parcel, Parcel) else (pack(batch.spans) if batch.spans else None)
    logs = [(project, codec.encode_log(log)) for project, log in batch.logs]
    told = msgspec.msgpack.encode((batch.size, logs, batch.scores))
    return [len(told).to_bytes(4, "little"), told, *([] if parcel is None else [parcel.to_bytes()])]


def unpacked_batch(payload: memoryview) -> WriteBatch:
    """Return the batch of an entry."""
    length = int.from_bytes(payload[:4], "little")
    size, logs, scores = msgspec.msgpack.decode(
        payload[4 : 4 + length], type=tuple[int, list[tuple[str, str]], tuple[Score, ...]]
    )
    rest = payload[4 + length :]
    return WriteBatch(
        parcel=unpack(pa.py_buffer(rest)) if len(rest) else None,
        logs=tuple((project, codec.decode_log(text)) for project, text in logs),
        scores=scores,
        size=size,
    )


def read_entry(path: Path) -> tuple[int, memoryview]:
    """Return the number and payload of the one entry that a file is.

    Raises:
        ValueError: it is not a whole entry.
        OSError: it cannot be read.
    """
    data = memoryview(path.read_bytes())
    if len(data) >= _HEAD.size:
        magic, number, length, checksum = _HEAD.unpack_from(data)
        payload = data[_HEAD.size :]
        if magic == _MAGIC and len(payload) == length and _checksum(number, [payload]) == checksum:
            return number, payload
    raise ValueError("not a whole entry of a journal")


def write_entry(path: Path, number: int, parts: Sequence[Buffer]) -> None:
    """Write a file that is one entry, whole or not at all, and durably.

    Raises:
        OSError: it cannot be written.
    """
    partial = path.with_name(path.name + PARTIAL)
    try:
        fd = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            _write(fd, _entry(number, parts))
            os.fsync(fd)
        finally:
            os.close(fd)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    sync_folder(path.parent)


def _entry(number: int, parts: Sequence[Buffer]) -> list[Buffer]:
    return [_HEAD.pack(_MAGIC, number, sum(len(part) for part in parts), _checksum(number, parts)), *parts]


def _checksum(number: int, parts: Sequence[Buffer]) -> int:
    checksum = xxh3_64(number.to_bytes(8, "little"))
    for part in parts:
        checksum.update(part)
    return checksum.intdigest()


def _let_go(segment: _Segment) -> None:
    if segment.damaged:  # numbers may come again after damage: no kept file replaces another
        segment.path.replace(segment.path.with_suffix(f".{time.time_ns()}{DAMAGED}"))
    else:
        segment.path.unlink(missing_ok=True)


def owner_of(path: Path) -> str:
    """Return the store that a segment names, "" where it names none that can be read.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD.size)
        magic, number, length, checksum = _HEAD.unpack(head) if len(head) == _HEAD.size else (b"", 0, 0, 0)
        if magic != _MAGIC or number or length > _OWNER_MOST:
            return ""
        name = file.read(length)
    return name.decode("utf-8", "replace") if _checksum(0, [name]) == checksum else ""


def _entries(segment: _Segment, file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield the whole entries. Past a damaged one by its length alone: what a payload says is never taken for an entry."""
    at = 0
    while at < segment.size:
        begin = at + _HEAD.size
        head = _at(file, at, _HEAD.size)
        magic, number, length, checksum = _HEAD.unpack(head) if len(head) == _HEAD.size else (b"", 0, 0, 0)
        if begin + length > segment.size:
            break
        payload = _at(file, begin, length)
        if magic == _MAGIC and _checksum(number, [payload]) == checksum:
            yield number, payload
        elif not _at(file, at, segment.size - at).strip(b"\0"):  # a length that was on disk before its bytes were
            break
        else:
            segment.damaged = True
            _log.error("%s has a damaged entry at byte %d: the file is kept", segment.path.name, at)
            if magic != _MAGIC and _at(file, begin + length, len(_MAGIC)) != _MAGIC:
                return
        at = begin + length
    if at < segment.size:
        # A torn tail holds one beginning; another behind it says that a length was damaged.
        segment.damaged = segment.damaged or _MAGIC in _at(file, at + 1, segment.size - at - 1)
        log, what = (
            (_log.error, "is kept") if segment.damaged else (_log.warning, "was never acknowledged, and is dropped")
        )
        log("%s ends torn: what stands behind byte %d %s", segment.path.name, at, what)


def _at(file: BinaryIO, place: int, length: int) -> bytes:
    file.seek(place)
    return file.read(length)


def _write(fd: int, buffers: list[Buffer]) -> None:
    for begin in range(0, len(buffers), _MOST_BUFFERS):
        some = buffers[begin : begin + _MOST_BUFFERS]
        whole = sum(len(one) for one in some)
        done = os.writev(fd, some)
        if done < whole:  # a full disk, or a signal: the rest says which
            rest = memoryview(b"".join(bytes(one) for one in some))[done:]
            while rest:
                rest = rest[os.write(fd, rest) :]
