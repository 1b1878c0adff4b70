"""Acknowledging from the journal: a thread that appends what waits, with one fsync for all of it."""

from __future__ import annotations

import logging
import threading
from collections import deque
from concurrent.futures import Future

from watchkeeper.kit.errors import StoreError, WatchkeeperError
from watchkeeper.store.api import Accepted, WriteBatch
from watchkeeper.store.duckdb.engine import translated
from watchkeeper.store.duckdb.journal import Journal, packed_batch
from watchkeeper.store.queue import Job, WriteQueue

__all__ = ["Acceptor"]

_log = logging.getLogger(__name__)


class Acceptor:
    """Takes batches, makes them durable, and hands them to the writer's queue in the journal's order."""

    def __init__(self, journal: Journal, queue: WriteQueue) -> None:
        self._journal = journal
        self._queue = queue
        self._waiting: deque[tuple[Job, Future[None]]] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="watchkeeper-journal", daemon=True)

    def start(self) -> None:
        """Begin to take batches."""
        self._thread.start()

    def accept(self, batch: WriteBatch) -> Accepted:
        """Take a batch; see `SpanStore.accept`."""
        job, durable = self._queue.reserve(batch, urgent=False), Future[None]()
        durable.set_running_or_notify_cancel()  # who gives up waiting must not break the promise of others
        with self._changed:
            if not self._closed:
                self._waiting.append((job, durable))
                self._changed.notify()
                return Accepted(durable, job.future)
        self._queue.release(job)
        raise StoreError("the store is closed")

    def stop(self) -> None:
        """Append what was taken, then end. Safe to call twice."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._closed:
                    self._changed.wait()
                taken = list(self._waiting)
                self._waiting.clear()
            if not taken:
                return
            self._append(taken)

    def _append(self, taken: list[tuple[Job, Future[None]]]) -> None:
        try:
            with translated():
                numbers = self._journal.append([packed_batch(job.batch) for job, _ in taken])
        except Exception as error:  # noqa: BLE001 - whatever it is, the promises must be settled
            _log.error("the journal could not be written", exc_info=error)
            failure = error if isinstance(error, WatchkeeperError) else StoreError(f"not journalled: {error}")
            for job, durable in taken:
                self._queue.release(job)
                job.future.cancel()
                durable.set_exception(failure)
            return
        for (job, _), number in zip(taken, numbers, strict=True):
            job.entry = number
        self._queue.enqueue([job for job, _ in taken])
        for _, durable in taken:
            durable.set_result(None)
