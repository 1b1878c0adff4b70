"""The journal: what was acknowledged and is not in the database yet, in append-only, fsynced segments.

A segment is a file of entries, each `magic, number, length, checksum` and a payload. Numbers only grow.
The database notes the last entry it holds in the transaction that brings it (`folded`), so each entry is
stored exactly once however the server ended. A torn tail was never acknowledged and is cut off; segments
whose entries are all in the database are deleted.
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
from typing import TypeAlias

import msgspec
import pyarrow as pa
from xxhash import xxh3_64

from watchkeeper.model import Score
from watchkeeper.store import codec
from watchkeeper.store.api import WriteBatch
from watchkeeper.store.duckdb.parcel import Parcel, pack, unpack
from watchkeeper.store.duckdb.swap import sync_folder

__all__ = ["Journal", "journal_path", "packed_batch", "unpacked_batch"]

Buffer: TypeAlias = "bytes | memoryview | pa.Buffer"

_log = logging.getLogger(__name__)
_MAGIC = b"WKJ1"
_HEAD = struct.Struct("<4sQQQ")
_SEGMENT = 64 << 20
_AGE = 10.0
_MOST_BUFFERS = 512


def journal_path(path: Path) -> Path:
    """Return the folder of a store's journal."""
    return path.with_name(path.name + ".journal")


@dataclass(slots=True)
class _Segment:
    path: Path
    last: int
    size: int = 0
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

    @property
    def size(self) -> int:
        """Return the bytes on disk."""
        with self._lock:
            return sum(one.size for one in (*self._closed, *([self._open] if self._open else [])))

    def recover(self, folded: int) -> Iterator[tuple[int, WriteBatch]]:
        """Yield the entries after `folded`, as they were appended. Before anything is appended.

        Raises:
            OSError: the folder cannot be read or made.
        """
        self._folder.mkdir(exist_ok=True)
        sync_folder(self._folder.parent)
        self._last = folded
        for path in sorted(self._folder.glob("*.seg")):
            data = path.read_bytes()
            segment = _Segment(path, 0)
            for number, payload in _entries(path, data):
                segment.last = number
                if number > folded:
                    yield number, unpacked_batch(payload)
            segment.size = len(data)
            self._last = max(self._last, segment.last)
            self._closed.append(segment)

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
            segment.path.unlink(missing_ok=True)

    def set_aside(self, number: int, batch: WriteBatch) -> Path:
        """Keep an entry that cannot be stored beside the segments, and return where.

        Raises:
            OSError: it cannot be written.
        """
        path = self._folder / f"{number:020d}.refused"
        with path.open("wb") as file:
            file.write(b"".join(bytes(part) for part in _entry(number, packed_batch(batch))))
            file.flush()
            os.fsync(file.fileno())
        sync_folder(self._folder)
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
        buffers = [one for number, parts in zip(numbers, payloads, strict=True) for one in _entry(number, parts)]
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


def _entry(number: int, parts: Sequence[Buffer]) -> list[Buffer]:
    checksum, length = xxh3_64(number.to_bytes(8, "little")), 0
    for part in parts:
        checksum.update(part)
        length += len(part)
    return [_HEAD.pack(_MAGIC, number, length, checksum.intdigest()), *parts]


def _entries(path: Path, data: bytes) -> Iterator[tuple[int, memoryview]]:
    view, at = memoryview(data), 0
    while at < len(data):
        begin = at + _HEAD.size
        if begin > len(data):
            break
        magic, number, length, checksum = _HEAD.unpack_from(view, at)
        payload = view[begin : begin + length]
        if magic != _MAGIC or len(payload) < length:
            break
        told = xxh3_64(number.to_bytes(8, "little"))
        told.update(payload)
        if told.intdigest() != checksum:
            break
        yield number, payload
        at = begin + length
    if at < len(data):
        _log.warning("%s ends torn: %d bytes that were never acknowledged are dropped", path.name, len(data) - at)


def _write(fd: int, buffers: list[Buffer]) -> None:
    for begin in range(0, len(buffers), _MOST_BUFFERS):
        some = buffers[begin : begin + _MOST_BUFFERS]
        whole = sum(len(one) for one in some)
        done = os.writev(fd, some)
        if done < whole:  # a full disk, or a signal: the rest says which
            rest = memoryview(b"".join(bytes(one) for one in some))[done:]
            while rest:
                rest = rest[os.write(fd, rest) :]
