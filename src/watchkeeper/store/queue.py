"""The bounded queue in front of a writer: weighed in bytes, refusing when full, drained on close."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TypeVar

from watchkeeper.kit.errors import OverloadedError, StoreError
from watchkeeper.store.api import WriteBatch, WriteReceipt

__all__ = ["Job", "WriteQueue", "weigh"]

_ITEM_BYTES = 256
T = TypeVar("T")


@dataclass(slots=True)
class Job:
    """A batch and the promise made for it; or work of another kind to do in its turn, alone."""

    batch: WriteBatch
    weight: int
    future: Future[WriteReceipt] = field(default_factory=Future)
    work: Callable[[], None] | None = None


def weigh(batch: WriteBatch) -> int:
    """Return the batch's weight in bytes: what it says, and never nothing."""
    items = len(batch.parcel or batch.spans) + len(batch.scores) + len(batch.logs)
    return max(batch.size, _ITEM_BYTES * items, 1)


class WriteQueue:
    """Jobs in the order they came. Many threads put, one takes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._jobs: deque[Job] = deque()
        self._held = 0
        self._held_spans = 0
        self._closed = False
        self._changed = threading.Condition()

    @property
    def held(self) -> int:
        """Return the bytes taken and not yet committed."""
        return self._held

    @property
    def held_spans(self) -> int:
        """Return the spans taken and not yet committed."""
        return self._held_spans

    @property
    def limit(self) -> int:
        """Return the bytes that may be held."""
        return self._limit

    @property
    def waiting(self) -> int:
        """Return how many jobs wait to be taken."""
        return len(self._jobs)

    @property
    def closed(self) -> bool:
        """Say whether the queue takes no more."""
        return self._closed

    def put(self, batch: WriteBatch) -> Future[WriteReceipt]:
        """Take a batch.

        Raises:
            OverloadedError: it does not fit; nothing was taken. A batch larger than the whole queue fits an empty one.
            StoreError: the store is closed.
        """
        job = Job(batch, weigh(batch))
        with self._changed:
            if self._closed:
                raise StoreError("the store is closed")
            if self._held and self._held + job.weight > self._limit:
                raise OverloadedError("the write queue is full")
            self._held += job.weight
            self._held_spans += len(batch.parcel or batch.spans)
            self._jobs.append(job)
            self._changed.notify()
        return job.future

    def put_work(self, work: Callable[[], T]) -> Future[T]:
        """Take work to do after the batches taken before; its result, or what it raises, is the future's.

        Raises:
            StoreError: the store is closed.
        """
        future: Future[T] = Future()

        def run() -> None:
            future.set_result(work())

        # The job's own future carries the failure: both are one to whoever settles it.
        job = Job(WriteBatch(), 0, work=run)
        job.future.add_done_callback(lambda done: _pass_failure(done, future))
        with self._changed:
            if self._closed:
                raise StoreError("the store is closed")
            self._jobs.append(job)
            self._changed.notify()
        return future

    def take(self, *, most: int, patience: float, company: int = 1, linger: float = 0.0) -> list[Job]:
        """Return what waits, up to about `most` bytes; wait up to `patience` seconds for something to come.

        Once there is something, up to `linger` seconds are given for it to become `company` jobs.
        """
        deadline = time.monotonic() + patience
        with self._changed:
            while not self._jobs and not self._closed:
                left = deadline - time.monotonic()
                if left <= 0:
                    return []
                self._changed.wait(left)
            deadline = time.monotonic() + linger
            while len(self._jobs) < company and not self._closed and (left := deadline - time.monotonic()) > 0:
                self._changed.wait(left)
            taken: list[Job] = []
            weight = 0
            while self._jobs and (not taken or (self._fits(taken) and weight + self._jobs[0].weight <= most)):
                taken.append(self._jobs.popleft())
                weight += taken[-1].weight
            return taken

    def _fits(self, taken: list[Job]) -> bool:
        return taken[-1].work is None and self._jobs[0].work is None

    def done(self, jobs: list[Job]) -> None:
        """Give back the room of jobs that are settled."""
        with self._changed:
            self._held -= sum(job.weight for job in jobs)
            self._held_spans -= sum(len(job.batch.parcel or job.batch.spans) for job in jobs)

    def close(self) -> None:
        """Take no more; what was taken stays to be drained."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


def _pass_failure(done: Future[WriteReceipt], future: Future[T]) -> None:
    error = done.exception()
    if error is not None:
        future.set_exception(error)
