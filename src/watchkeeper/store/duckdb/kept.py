"""What was acknowledged and is not in the database: exports that were set aside, and damaged pieces of the journal.

They are files beside the journal's segments. No query sees them, but they hold what people sent: so they have an end,
an erasure reaches into them, and an export can be stored after all once its fault is mended.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np

from watchkeeper.kit.errors import NotFoundError, StoreError
from watchkeeper.store.api import JournalStats, KeptFile, Selector, WriteBatch, WriteReceipt
from watchkeeper.store.duckdb.engine import translated
from watchkeeper.store.duckdb.journal import (
    DAMAGED,
    PARTIAL,
    REFUSED,
    UNREADABLE,
    packed_batch,
    read_entry,
    unpacked_batch,
    write_entry,
)
from watchkeeper.store.duckdb.parcel import Parcel
from watchkeeper.store.selecting import names_user

__all__ = ["Kept", "Reached"]

_KINDS: dict[str, Literal["refused", "damaged"]] = {REFUSED: "refused", DAMAGED: "damaged"}


class Reached(msgspec.Struct):
    """What an erasure finds in what was kept; see `ErasureReport`."""

    set_aside: int = 0
    removed: tuple[str, ...] = ()
    unreached: tuple[str, ...] = ()
    changes: dict[Path, tuple[int, WriteBatch | None]] = {}
    """By file: its number, and what is left of it, None where it goes."""


class Kept:
    """Files in the journal's folder. Any thread; changes one at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.RLock()

    def files(self) -> tuple[KeptFile, ...]:
        """Return them, sorted by name."""
        with translated():
            return tuple(sorted(self._files(), key=lambda one: one.name))

    def stats(self, pending: int, pending_bytes: int) -> JournalStats:
        """Count them, beside what waits."""
        files = self.files()
        sizes = {kind: [one.bytes for one in files if one.kind == kind] for kind in _KINDS.values()}
        return JournalStats(
            pending=pending, pending_bytes=pending_bytes, refused=len(sizes["refused"]),
            refused_bytes=sum(sizes["refused"]), damaged=len(sizes["damaged"]), damaged_bytes=sum(sizes["damaged"]),
            oldest=min((one.since for one in files), default=None),
        )  # fmt: skip

    def expire(self, before: int) -> int:
        """Delete what was kept before a time, ns; and scrap that a kill left."""
        with self._lock, translated():
            for scrap in self._folder.glob(f"*{PARTIAL}"):
                scrap.unlink(missing_ok=True)
            old = [one for one in self._files() if one.since < before]
            for one in old:
                (self._folder / one.name).unlink(missing_ok=True)
        return len(old)

    def drop(self, name: str) -> None:
        """Delete one."""
        with self._lock, translated():
            self._path(name).unlink()

    def retry(self, name: str, put: Callable[[WriteBatch], Future[WriteReceipt]]) -> WriteReceipt:
        """Store one that was refused, then delete it."""
        with self._lock, translated():
            path = self._path(name)
            if path.suffix != REFUSED:
                raise StoreError(
                    f"{name} is a damaged piece of the journal: what was whole in it is stored already",
                    hint=f"look at it, then: watchkeeper journal drop {name}",
                )
            try:
                _, batch = _read(path)
            except UNREADABLE as error:
                raise StoreError(f"{path} cannot be read: {error}", hint=f"watchkeeper journal drop {name}") from error
        receipt = put(batch).result()  # without the lock: the writer may be erasing, and want it
        with self._lock, translated():
            path.unlink(missing_ok=True)
        return receipt

    def traces(self, project: str, selector: Selector) -> dict[str, None]:
        """Return the ids of the traces that are selected by what stands in exports that were set aside."""
        found: dict[str, None] = {}
        with self._lock, translated():
            for path in self._refused():
                try:
                    _, batch = _read(path)
                except UNREADABLE:
                    continue  # `reach` says so
                found |= dict.fromkeys(_selected(batch, project, selector))
        return found

    def reach(self, project: str, traces: set[str], sessions: set[str]) -> Reached:
        """Find what is of these traces, and scores of these sessions. Nothing is changed."""
        found = Reached(changes={})
        with self._lock, translated():
            for path in self._refused():
                try:
                    number, batch = _read(path)
                except UNREADABLE:
                    found.removed += (path.name,)
                    found.changes[path] = (0, None)
                    continue
                left, gone = _without(batch, project, traces, sessions)
                if gone:
                    found.set_aside += gone
                    found.changes[path] = (number, left)
            found.unreached = tuple(one.name for one in self._files() if one.kind == "damaged")
        return found

    def apply(self, reached: Reached) -> None:
        """Take out what was found; a kill leaves each file as it was, or without it."""
        with self._lock, translated():
            for path, (number, left) in reached.changes.items():
                if left is None or not path.exists():
                    path.unlink(missing_ok=True)
                    continue
                times = path.stat()
                write_entry(path, number, packed_batch(left))
                os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))  # its age is that of what it holds

    def _files(self) -> Iterator[KeptFile]:
        try:
            with os.scandir(self._folder) as entries:
                for one in entries:
                    kind = _KINDS.get(Path(one.name).suffix)
                    if kind is not None:
                        told = one.stat()
                        yield KeptFile(name=one.name, kind=kind, bytes=told.st_size, since=told.st_mtime_ns)
        except FileNotFoundError:  # deleted meanwhile
            return

    def _refused(self) -> list[Path]:
        return sorted(self._folder.glob(f"*{REFUSED}"))

    def _path(self, name: str) -> Path:
        if name not in {one.name for one in self._files()}:
            raise NotFoundError(f"nothing was set aside as {name!r}", hint="watchkeeper journal list")
        return self._folder / name


def _read(path: Path) -> tuple[int, WriteBatch]:
    number, payload = read_entry(path)
    return number, unpacked_batch(payload)


def _selected(batch: WriteBatch, project: str, selector: Selector) -> Iterator[str]:
    if isinstance(batch.parcel, Parcel):
        names = ("project", "trace_id", "user_id", "session_id")
        for owner, trace_id, user, session in zip(
            *(batch.parcel.table.column(name).to_pylist() for name in names), strict=True
        ):
            if owner == project and (user in selector.users or session in selector.sessions):
                yield trace_id
    for owner, log in batch.logs:
        if owner == project and names_user(log, selector.users) and log.trace_id:
            yield log.trace_id


def _without(
    batch: WriteBatch, project: str, traces: set[str], sessions: set[str]
) -> tuple[WriteBatch | None, int]:  # fmt: skip
    """Return what is left of a batch, None where nothing is, and how many things went."""
    parcel, gone = batch.parcel, 0
    if isinstance(parcel, Parcel):
        owners, ids = (parcel.table.column(name).to_pylist() for name in ("project", "trace_id"))
        places = [
            at for at, pair in enumerate(zip(owners, ids, strict=True)) if pair[0] == project and pair[1] in traces
        ]
        gone += len(places)
        parcel = Parcel(parcel.without(np.array(places, dtype=np.intp)).combine_chunks()) if places else parcel
    logs = tuple(one for one in batch.logs if not (one[0] == project and one[1].trace_id in traces))
    scores = tuple(
        one
        for one in batch.scores
        if not (one.project == project and (one.trace_id in traces or one.session_id in sessions))
    )
    gone += len(batch.logs) - len(logs) + len(batch.scores) - len(scores)
    left = WriteBatch(parcel=parcel or None, logs=logs, scores=scores, size=batch.size)
    return (left if parcel or logs or scores else None), gone
