"""Backups while the server runs: one at a time is copied, fetched as an archive, and forgotten."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from watchkeeper.kit.clock import Clock
from watchkeeper.kit.errors import (
    CapabilityError,
    NotFoundError,
    OverloadedError,
    RequestError,
    StoreError,
    WatchkeeperError,
)
from watchkeeper.kit.ids import new_id
from watchkeeper.server.backup.archive import Facts, pack
from watchkeeper.server.backup.record import note_backup
from watchkeeper.server.backup.schemas import BackupOut
from watchkeeper.server.backup.snapshot import Snapshot, take
from watchkeeper.store.api import Progress, SpanStore
from watchkeeper.store.factory import ControlStore

__all__ = ["BackupService"]

_log = logging.getLogger("watchkeeper.server")
_LINGER = 600.0
_STALE = 60.0
_RETRY = 30


@dataclass(slots=True)
class _Backup:
    """One of them. `asked` is when somebody last wanted something of it, monotonic seconds."""

    id: str
    asked: float
    done: int = 0
    whole: int = 0
    snapshot: Snapshot | None = None
    failure: WatchkeeperError | None = None
    dropped: bool = False

    def may_go(self) -> bool:
        """Say whether another may take its place: it failed, or whoever wanted it has gone away."""
        stale = self.snapshot is not None and time.monotonic() - self.asked > _STALE
        return self.failure is not None or stale

    def told(self) -> BackupOut:
        facts = self.snapshot.facts if self.snapshot is not None else None
        return BackupOut(
            id=self.id,
            state="failed" if self.failure is not None else "copying" if facts is None else "ready",
            rows_done=self.done,
            rows_all=self.whole,
            taken_at=facts.taken_at if facts is not None else None,
            spans=facts.spans if facts is not None else None,
            scores=facts.scores if facts is not None else None,
            size=None if self.snapshot is None else str(self.snapshot.size()),
            error=self.failure.message if self.failure is not None else None,
            hint=self.failure.hint if self.failure is not None else None,
        )


class BackupService:
    """Makes backups of the data folder. Any thread.

    A copy that nobody fetches is deleted ten minutes after it was last asked for, since it takes the disk's space, and
    after a minute it gives way to another.
    """

    def __init__(
        self, store: SpanStore, control: ControlStore, folder: Path | None, clock: Clock, version: str,
        *, linger: float = _LINGER,
    ) -> None:  # fmt: skip
        self._store = store
        self._control = control
        self._folder = folder
        self._clock = clock
        self._version = version
        self._linger = linger
        self._lock = threading.Lock()
        self._now: _Backup | None = None
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()

    def start(self) -> BackupOut:
        """Begin one.

        Raises:
            OverloadedError: another is being made or fetched.
            CapabilityError: everything is in memory.
        """
        folder = self._own_folder()
        with self._lock:
            if self._closed.is_set():
                raise StoreError("the server is stopping")
            if self._now is not None and not self._now.may_go():
                raise OverloadedError("another backup is being made or fetched", retry_after=_RETRY)
            if self._now is not None and self._now.snapshot is not None:
                self._now.dropped = True
                self._now.snapshot.drop()
            self._now = made = _Backup(new_id(), time.monotonic())
            self._thread = threading.Thread(target=self._make, args=(made, folder), name="backup", daemon=True)
            self._thread.start()
            return made.told()

    def look(self, backup: str) -> BackupOut:
        """Say how far it is.

        Raises:
            NotFoundError: there is no such backup, or no longer.
        """
        return self._find(backup).told()

    def archive(self, backup: str) -> Iterator[bytes]:
        """Yield its archive.

        Raises:
            NotFoundError: there is no such backup, or no longer.
            RequestError: it is not ready.
        """
        found = self._find(backup)
        if found.snapshot is None:
            raise RequestError("the backup is not ready", hint="ask for its state until it is `ready`")
        return self._chunks(found, found.snapshot)

    def drop(self, backup: str) -> None:
        """Delete it. One that is still copying is deleted when it ends.

        Raises:
            NotFoundError: there is no such backup, or no longer.
        """
        self._forget(self._find(backup))

    def make(self, progress: Progress) -> Snapshot:
        """Make one and wait; the caller drops it."""
        return self._take(self._own_folder(), progress)

    def note(self, facts: Facts) -> None:
        """Note that this one was fetched whole."""
        note_backup(self._own_folder(), facts.taken_at)

    def close(self) -> None:
        """Wait for the one under way and delete it. Before the store closes."""
        with self._lock:
            self._closed.set()
            found, thread = self._now, self._thread
        if thread is not None:
            thread.join()
        if found is not None:
            self._forget(found)

    def _make(self, made: _Backup, folder: Path) -> None:
        def progress(done: int, whole: int) -> None:
            made.done, made.whole = done, whole
            if self._closed.is_set() or made.dropped:
                raise StoreError("the backup was given up")

        try:
            made.snapshot = self._take(folder, progress)
        except WatchkeeperError as error:
            made.failure = error
            _log.warning("a backup failed: %s", error.message)
        except Exception as error:  # noqa: BLE001 - whoever asks must hear of it
            made.failure = StoreError(f"the backup failed: {error}")
            _log.warning("a backup failed", exc_info=error)
        if made.snapshot is None:
            return
        made.asked = time.monotonic()
        _log.info("a backup of %d spans is ready", made.snapshot.facts.spans)
        while not made.dropped and not self._closed.wait(min(1.0, self._linger)):
            if time.monotonic() - made.asked > self._linger:
                _log.warning("a backup that nobody fetched was deleted")
                break
        self._forget(made)

    def _take(self, folder: Path, progress: Progress) -> Snapshot:
        return take(
            self._store, self._control, folder, clock=self._clock, version=self._version, progress=progress
        )  # fmt: skip

    def _chunks(self, found: _Backup, snapshot: Snapshot) -> Iterator[bytes]:
        for chunk in pack(snapshot.facts, snapshot.files()):
            found.asked = time.monotonic()
            yield chunk
        self.note(snapshot.facts)

    def _find(self, backup: str) -> _Backup:
        found = self._now
        if found is None or found.id != backup:
            raise NotFoundError("there is no such backup, or no longer", hint="begin another")
        found.asked = time.monotonic()
        return found

    def _forget(self, found: _Backup) -> None:
        with self._lock:
            found.dropped = True
            # One that is still copying keeps its place until its thread has cleared up after it.
            if self._now is found and (found.snapshot is not None or found.failure is not None):
                if found.snapshot is not None:
                    found.snapshot.drop()
                self._now = None

    def _own_folder(self) -> Path:
        if self._folder is None:
            raise CapabilityError("a server in memory has no backups", hint="give it a data folder")
        return self._folder
