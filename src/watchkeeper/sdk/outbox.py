"""A bounded queue of things to send, and the thread that empties it. The host never waits for it.

What was put in is, at any time, sent, lost, dropped or waiting: the four numbers add up. The lock that `put` takes
can be taken again by the thread that holds it, since the garbage collector or a signal may end a span anywhere;
nothing is sent, logged or called under it.
"""

from __future__ import annotations

import collections
import logging
import os
import threading
import time
import weakref
from typing import Generic, TypeVar

from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, attach, detach, set_value

from watchkeeper.sdk.send import Outcome, Sender

__all__ = ["Outbox"]

T = TypeVar("T")

_log = logging.getLogger("watchkeeper")
_MIB = 1 << 20
_DOWN_GRACE = 0.5
_AT_REST = 5
"""Empty rounds after which the thread sleeps until it is woken."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
_LEAST_BATCH = 1 << 16
_THREAD_AGAIN = 30.0
"""Seconds after which a thread is asked for again where none could be had."""


class Outbox(Generic[T]):
    """A bounded queue and its thread.

    A full queue drops the newest and counts it. `sent` were taken by the server, `lost` were refused or not
    answered, `dropped` found no place in the queue.

    Args:
        sender: what sends a batch.
        where: its address, for the one warning.
        what: what is sent, in the plural, for the warning and the thread's name.
        size: most that may wait.
        size_bytes: most bytes that may wait.
        batch: most in a request.
        batch_bytes: bytes in a request, give or take one item.
        delay: seconds between requests while fewer than `batch` wait.
        patience: seconds a batch is tried for: a server may be upgraded meanwhile.
    """

    _lock: threading.RLock
    _changed: threading.Condition
    _queue: collections.deque[tuple[T, int]]
    _held: collections.deque[list[T]]
    _thread: threading.Thread | None
    _resting: bool
    failed: int
    """How often the server could not be reached, or asked to be left alone."""

    def __init__(
        self,
        sender: Sender[T],
        where: str,
        *,
        what: str = "spans",
        size: int = 8_192,
        size_bytes: int = 128 * _MIB,
        batch: int = 512,
        batch_bytes: int = 8 * _MIB,
        delay: float = 1.0,
        patience: float = 120.0,
    ) -> None:
        self._sender = sender
        self._where, self._what = where, what
        self._size, self._size_bytes = size, size_bytes
        self._batch, self._batch_bytes = batch, batch_bytes
        self._delay, self._patience = delay, patience
        self._closed = False
        self._warned = False
        self._reset()
        if hasattr(os, "register_at_fork"):
            forked = weakref.WeakMethod(self._after_fork)
            os.register_at_fork(after_in_child=lambda: reset() if (reset := forked()) is not None else None)

    @property
    def waiting(self) -> int:
        """How many are not settled yet."""
        with self._changed:
            return len(self._queue) + self._taken - self._handled

    def put(self, item: T, size: int) -> None:
        """Queue an item of so many bytes: what the host's thread pays for."""
        refused = False
        with self._lock:  # what `_changed` would take, without its Python in between
            waiting = len(self._queue)
            if self._closed or waiting >= self._size or self._bytes + size > self._size_bytes:
                self.dropped += 1
                return
            self._queue.append((item, size))
            self._bytes += size
            if self._thread is None:
                refused = not self._start()
            if self._resting or waiting + 1 == self._batch or self._bytes >= self._batch_bytes:
                self._resting = False
                self._changed.notify_all()
        if refused:
            self._warn_of_thread()

    def flush(self, timeout: float) -> bool:
        """Send what waits; False when that took longer than `timeout` seconds, or the server did not take it all.

        It ends early where the server cannot be reached.
        Where the thread cannot run (a platform that refuses threads, an interpreter that ends), it is sent from here.
        """
        end = time.monotonic() + timeout
        with self._changed:
            failed, lost, upto = self.failed, self.lost, self._taken + len(self._queue)
            thread = self._thread
            if (
                thread is threading.current_thread()
            ):  # called by what we call: waiting for ourselves would be for nothing
                return self._handled >= upto
            self._hurry = True
            self._changed.notify_all()
            if thread is not None and thread.is_alive():
                self._changed.wait_for(
                    lambda: self._handled >= upto or self.failed != failed, max(0.0, end - time.monotonic())
                )
                return self._handled >= upto and (self.failed, self.lost) == (failed, lost)
        while self._handled < upto and self.failed == failed and time.monotonic() < end:
            self._round(max(0.05, end - time.monotonic()))
        return self._handled >= upto and (self.failed, self.lost) == (failed, lost)

    def shutdown(self, timeout: float = 1.5) -> None:
        """Send what waits for at most `timeout` seconds (half a second to a server that is down), then stop."""
        if self._closed:
            return
        self.flush(min(timeout, _DOWN_GRACE) if self._failing else timeout)
        with self._changed:
            self._closed = True
            held = sum([len(batch) for batch in self._held])
            self.lost += len(self._queue) + held
            self._handled += held
            self._queue.clear()
            self._held.clear()
            self._bytes = 0
            self._changed.notify_all()
        self._sender.close()

    def _reset(self) -> None:
        self.sent = self.lost = self.dropped = self.failed = 0
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._sending = threading.Lock()
        self._queue = collections.deque()
        self._held = collections.deque()
        self._held_since = 0.0
        self._pause = _FIRST_PAUSE
        self._not_before = 0.0
        self._thread = None
        self._thread_again = 0.0
        self._thread_warned = False
        self._failing = False
        self._bytes = self._taken = self._handled = 0
        self._hurry = self._resting = False

    def _after_fork(self) -> None:
        """Begin empty in a forked child: the thread is gone, and the parent sends what waited."""
        self._reset()
        self._sender.after_fork()

    def _start(self) -> bool:
        """Start the thread; False where there is none to be had."""
        now = time.monotonic()
        if now < self._thread_again:
            return True
        thread = threading.Thread(target=self._run, name=f"watchkeeper-{self._what}", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # no threads here, or no more: `flush` sends from the caller's
            self._thread_again = now + _THREAD_AGAIN
            return False
        self._thread = thread
        return True

    def _run(self) -> None:
        empty, queue = 0, self._queue
        try:
            while True:
                with self._changed:
                    if queue is not self._queue:
                        return
                    self._resting = empty >= _AT_REST
                    self._changed.wait_for(self._due, None if self._resting else self._delay)
                    if self._closed:
                        return
                    self._resting = False
                    idle = not (self._queue or self._held)
                empty = empty + 1 if idle else 0
                if not idle:
                    self._round(None)
        finally:  # whatever ended it, the next item starts another
            if self._thread is threading.current_thread():
                self._thread = None

    def _due(self) -> bool:
        if self._closed:
            return True
        waiting = len(self._queue)
        if self._held:
            return self._hurry or time.monotonic() >= self._not_before
        if self._resting:
            return waiting > 0
        return waiting >= self._batch or self._bytes >= self._batch_bytes or (self._hurry and waiting > 0)

    def _round(self, timeout: float | None) -> None:
        """Send one batch, the one that was not taken before first."""
        sending = self._sending
        if not sending.acquire(timeout=-1 if timeout is None else timeout):
            return
        try:
            with self._changed:
                batch = self._next()
            if batch:
                self._send(batch, timeout)
        finally:
            sending.release()

    def _send(self, batch: list[T], timeout: float | None) -> None:
        outcome = Outcome(taken=False)
        token = attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, value=True))
        try:
            outcome = self._sender.send(batch, timeout)
        except Exception:
            _log.debug("%s could not be sent", self._what, exc_info=True)
        finally:
            detach(token)
            with self._changed:
                self._settle(batch, outcome)
                if not self._queue and not self._held:
                    self._hurry = False
                self._changed.notify_all()
        if self._failing and not self._warned:
            self._warned = True
            _log.warning(
                "%s do not reach %s: is it up, and is the key right? Said once; wk.stats() counts them",
                self._what, self._where,
            )  # fmt: skip

    def _next(self) -> list[T]:
        if self._held:
            return self._held.popleft() if self._hurry or time.monotonic() >= self._not_before else []
        batch: list[T] = []
        room = self._batch_bytes
        while self._queue and len(batch) < self._batch and room > 0:
            item, size = self._queue.popleft()
            room -= size
            self._bytes -= size
            self._taken += 1
            batch.append(item)
        return batch

    def _settle(self, batch: list[T], outcome: Outcome) -> None:
        now = time.monotonic()
        if outcome.taken:
            self._failing = False
            self.sent += len(batch) - outcome.refused
            self.lost += outcome.refused
            self._handled += len(batch)
            self._held_since, self._pause = 0.0, _FIRST_PAUSE
            return
        if outcome.too_large and len(batch) > 1 and not self._closed:
            self._halve(batch)
            return
        self._failing = True
        self._held_since = self._held_since or now
        if outcome.again:
            self.failed += 1
            self._hurry = False
        if self._closed or not outcome.again or now - self._held_since > self._patience:
            self.lost += len(batch)
            self._handled += len(batch)
            self._held_since = 0.0
            return
        self._held.appendleft(batch)
        self._not_before = now + max(self._pause, outcome.pause or 0.0)
        self._pause = min(_LONGEST_PAUSE, self._pause * 2)

    def _halve(self, batch: list[T]) -> None:
        middle = len(batch) // 2
        self._held.extendleft((batch[middle:], batch[:middle]))
        self._batch_bytes = max(_LEAST_BATCH, self._batch_bytes // 2)
        self._not_before = 0.0

    def _warn_of_thread(self) -> None:
        if not self._thread_warned:
            self._thread_warned = True
            _log.warning("no thread can be started here; %s are sent by wk.flush()", self._what)
