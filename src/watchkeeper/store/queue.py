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
    urgent: bool = True
    """Somebody waits for it to be stored; else it may wait for company."""
    entry: int = 0
    """Its number in the journal, 0 where it is in none."""
    tries: int = 0


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
        self._urgent = 0
        self._hurried = False
        self._weight = 0
        self._unfolded: dict[int, Job] = {}
        self._changed = threading.Condition(threading.RLock())

    @property
    def held(self) -> int:
        """Return the bytes taken and not yet committed."""
        return self._held

    @property
    def held_spans(self) -> int:
        """Return the spans taken and not yet committed."""
        return self._held_spans

    @property
    def unfolded(self) -> int:
        """Return how many batches are in the journal and not committed yet."""
        return len(self._unfolded)

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
        with self._changed:
            job = self.reserve(batch)
            self.enqueue([job])
        return job.future

    def reserve(self, batch: WriteBatch, *, urgent: bool = True) -> Job:
        """Take room for a batch that is enqueued later, or released; raises as `put` does."""
        job = Job(batch, weigh(batch), urgent=urgent)
        with self._changed:
            if self._closed:
                raise StoreError("the store is closed")
            if self._held and self._held + job.weight > self._limit:
                raise OverloadedError("the write queue is full")
            self._hold(job, 1)
        return job

    def release(self, job: Job) -> None:
        """Give back the room of a job that will not be enqueued."""
        with self._changed:
            self._hold(job, -1)

    def adopt(self, batch: WriteBatch, entry: int, patience: float) -> bool:
        """Take what the journal still held: when it fits, or once no room has come for `patience` seconds.

        Return whether it fitted.
        """
        job = Job(batch, weigh(batch), urgent=True, entry=entry)
        fits = True
        with self._changed:
            while fits and self._held and (held := self._held) + job.weight > self._limit:
                fits = self._changed.wait_for(lambda held=held: self._held < held, patience)  # type: ignore[misc]
            self._hold(job, 1)
            self.enqueue([job])
        return fits

    def enqueue(self, jobs: list[Job]) -> None:
        """Let jobs be taken, in this order."""
        with self._changed:
            for job in jobs:
                # From here it will be done: a caller that gives up must not cancel what the writer settles.
                job.future.set_running_or_notify_cancel()
                self._jobs.append(job)
                self._urgent += job.urgent
                self._weight += job.weight
                if job.entry:
                    self._unfolded[job.entry] = job
            self._changed.notify_all()

    def settle(self, seconds: float, concerns: Callable[[WriteBatch], bool] | None = None) -> bool:
        """Wait until what is acknowledged by now is stored, and hurry it; False when it took longer.

        With `concerns`, only batches of which it is true are waited for.
        """
        if not self._unfolded:
            return True
        with self._changed:
            awaited = [entry for entry, job in self._unfolded.items() if concerns is None or concerns(job.batch)]
            if not awaited:
                return True
            last = max(awaited)
            self._hurried = True
            self._changed.notify_all()
            return self._changed.wait_for(lambda: all(entry > last for entry in self._unfolded), seconds)

    def _hold(self, job: Job, sign: int) -> None:
        self._held += sign * job.weight
        self._held_spans += sign * len(job.batch.parcel or job.batch.spans)

    def put_work(self, work: Callable[[], T]) -> Future[T]:
        """Take work to do after the batches taken before; its result, or what it raises, is the future's.

        Raises:
            StoreError: the store is closed.
        """
        future: Future[T] = Future()
        future.set_running_or_notify_cancel()

        def run() -> None:
            future.set_result(work())

        # The job's own future carries the failure: both are one to whoever settles it.
        job = Job(WriteBatch(), 0, work=run)
        job.future.add_done_callback(lambda done: _pass_failure(done, future))
        with self._changed:
            if self._closed:
                raise StoreError("the store is closed")
            self.enqueue([job])
        return future

    def take(self, *, most: int, patience: float, ripe: float = 0.0, enough: int = 0) -> list[Job]:
        """Return what waits, up to about `most` bytes; wait up to `patience` seconds for something to come.

        Jobs for which nobody waits are left to gather until the time `ripe` (of `time.monotonic`), or until
        `enough` bytes are there.
        """
        deadline = time.monotonic() + patience
        with self._changed:
            while not self._jobs and not self._closed:
                left = deadline - time.monotonic()
                if left <= 0:
                    return []
                self._changed.wait(left)
            while not self._pressing() and self._weight < enough and (left := ripe - time.monotonic()) > 0:
                self._changed.wait(left)
            taken: list[Job] = []
            weight = 0
            while self._jobs and (not taken or (self._fits(taken) and weight + self._jobs[0].weight <= most)):
                taken.append(self._jobs.popleft())
                self._urgent -= taken[-1].urgent
                weight += taken[-1].weight
            self._weight -= weight
            self._hurried = self._hurried and bool(self._jobs)
            return taken

    def _pressing(self) -> bool:
        return bool(self._urgent or self._hurried or self._closed)

    def _fits(self, taken: list[Job]) -> bool:
        return taken[-1].work is None and self._jobs[0].work is None

    def done(self, jobs: list[Job]) -> None:
        """Give back the room of jobs that are settled."""
        with self._changed:
            for job in jobs:
                self._hold(job, -1)
                self._unfolded.pop(job.entry, None)
            self._changed.notify_all()

    def close(self) -> None:
        """Take no more; what was taken stays to be drained."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


def _pass_failure(done: Future[WriteReceipt], future: Future[T]) -> None:
    error = done.exception()
    if error is not None:
        future.set_exception(error)
