"""From ended spans to the server, from a thread of its own.

OTel's batch processor is not used: its flush ignores the time it was given, it does not say what it
dropped, and it builds requests by count alone, so that long prompts make a request nobody takes.
"""

from __future__ import annotations

import collections
import logging
import os
import threading
import time
import weakref
from collections.abc import Iterable

from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, attach, set_value
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor

from watchkeeper.sdk.recorder import Recording
from watchkeeper.sdk.send import Outcome, Sender

__all__ = ["SpanQueue"]

_log = logging.getLogger("watchkeeper")
_MIB = 1 << 20
_SPAN_BYTES = 1_000
_DOWN_GRACE = 0.5
_AT_REST = 5
"""Empty rounds after which the thread sleeps until it is woken."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
_GIVE_UP = 120.0
"""Seconds a batch is tried for: a server may be upgraded meanwhile."""

Span = ReadableSpan | Recording


class SpanQueue(SpanProcessor):
    """A bounded queue of ended spans and the thread that empties it.

    A full queue drops the newest span and counts it: the host never waits. `sent` were taken by the
    server, `lost` were refused or not answered, `dropped` found no place in the queue.

    Args:
        sender: what sends a batch.
        where: its address, for the one warning.
        size: most spans that may wait.
        size_bytes: most bytes of attribute text that may wait.
        batch: most spans in a request.
        batch_bytes: attribute text in a request, give or take one span; a server takes 64 MiB.
        delay: seconds between requests while fewer than `batch` wait.
    """

    _changed: threading.Condition
    _queue: collections.deque[tuple[Span, int]]
    _thread: threading.Thread | None
    _bytes: int
    _taken: int
    _handled: int
    _hurry: bool
    _resting: bool
    _sending: threading.Lock
    _held: list[Span]
    _failing: bool
    failed: int

    def __init__(
        self,
        sender: Sender,
        where: str,
        *,
        size: int = 8_192,
        size_bytes: int = 128 * _MIB,
        batch: int = 512,
        batch_bytes: int = 8 * _MIB,
        delay: float = 1.0,
    ) -> None:
        self._sender = sender
        self._where = where
        self._size, self._size_bytes = size, size_bytes
        self._batch, self._batch_bytes = batch, batch_bytes
        self._delay = delay
        self._closed = False
        self._warned = False
        self._reset()
        if hasattr(os, "register_at_fork"):
            forked = weakref.WeakMethod(self._after_fork)
            os.register_at_fork(after_in_child=lambda: reset() if (reset := forked()) is not None else None)

    @property
    def waiting(self) -> int:
        """How many spans are not settled yet."""
        with self._changed:
            return len(self._queue) + self._taken - self._handled

    def on_end(self, span: ReadableSpan) -> None:
        """Queue a span of OTel's SDK, whichever library made it."""
        if span.context is None or not span.context.trace_flags.sampled:
            return
        self.put(span, sum([len(value) for value in (span.attributes or {}).values() if isinstance(value, str)]))

    def put(self, span: Span, size: int) -> None:
        """Queue a span with so many bytes of text: what the host's thread pays for."""
        size += _SPAN_BYTES
        with self._changed:
            waiting = len(self._queue)
            if self._closed or waiting >= self._size or self._bytes + size > self._size_bytes:
                self.dropped += 1
                return
            self._queue.append((span, size))
            self._bytes += size
            if self._thread is None:
                self._start()
            if self._resting or waiting + 1 == self._batch or self._bytes >= self._batch_bytes:
                self._resting = False
                self._changed.notify_all()

    def flush(self, timeout: float) -> bool:
        """Send what waits; False when that took longer than `timeout` seconds, or the server did not take it.

        Where the thread cannot run (a platform that refuses threads, an interpreter that ends), it is sent from here.
        """
        end = time.monotonic() + timeout
        with self._changed:
            failed, upto = self.failed, self._taken + len(self._queue)
            self._hurry = True
            self._changed.notify_all()
            alive = self._thread is not None and self._thread.is_alive()
            if alive:
                done = self._changed.wait_for(
                    lambda: self._handled >= upto or self.failed != failed, max(0.0, end - time.monotonic())
                )
                return done and self.failed == failed
        while self._handled < upto and time.monotonic() < end and self.failed == failed:
            self._round(max(0.05, end - time.monotonic()), last=False)
        return self._handled >= upto and self.failed == failed

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Do what `flush` does, under OTel's name."""
        return self.flush(timeout_millis / 1_000)

    def shutdown(self, timeout: float = 5.0) -> None:
        """Send what waits for at most `timeout` seconds (half a second to a server that is down), then stop."""
        if self._closed:
            return
        timeout = min(timeout, _DOWN_GRACE) if self._failing else timeout
        self.flush(timeout)
        with self._changed:
            self._closed = True
            self.lost += len(self._queue) + len(self._held)
            self._queue.clear()
            self._held = []
            self._bytes = 0
            self._changed.notify_all()
        self._sender.close()

    def _reset(self) -> None:
        self.sent = self.lost = self.dropped = self.failed = 0
        self._changed = threading.Condition()
        self._sending = threading.Lock()
        self._queue = collections.deque()
        self._held = []
        self._held_since = 0.0
        self._pause = _FIRST_PAUSE
        self._not_before = 0.0
        self._thread = None
        self._failing = False
        self._refused_thread = False
        self._bytes = 0
        self._taken = 0
        self._handled = 0
        self._hurry = False
        self._resting = False

    def _after_fork(self) -> None:
        """Begin empty in a forked child: the thread is gone, and the parent sends what waited."""
        self._reset()
        self._sender.after_fork()

    def _start(self) -> None:
        if self._refused_thread:
            return
        thread = threading.Thread(target=self._run, name="watchkeeper-spans", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # no threads here, or no more: `flush` sends from the caller's
            self._refused_thread = True
            _log.warning("no thread can be started here; spans are sent by wk.flush()")
        else:
            self._thread = thread

    def _run(self) -> None:
        attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, value=True))
        empty, queue = 0, self._queue
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
                self._round(None, last=False)

    def _due(self) -> bool:
        if self._closed:
            return True
        waiting = len(self._queue)
        if self._held:
            return self._hurry or time.monotonic() >= self._not_before
        if self._resting:
            return waiting > 0
        return waiting >= self._batch or self._bytes >= self._batch_bytes or (self._hurry and waiting > 0)

    def _round(self, timeout: float | None, *, last: bool) -> None:
        """Send one batch, the one that was not taken before first."""
        with self._sending:
            with self._changed:
                if self._held and not self._hurry and time.monotonic() < self._not_before:
                    return
                batch = self._held or list(self._take())
                self._held = []
            if not batch:
                return
            outcome = self._sender.send(batch, timeout)
            with self._changed:
                self._settle(batch, outcome, last=last)
                if not self._queue:
                    self._hurry = False
                self._changed.notify_all()

    def _settle(self, batch: list[Span], outcome: Outcome, *, last: bool) -> None:
        now = time.monotonic()
        self._failing = not outcome.taken
        if outcome.taken:
            self.sent += len(batch) - outcome.refused
            self.lost += outcome.refused
            self._handled += len(batch)
            self._held_since, self._pause = 0.0, _FIRST_PAUSE
            return
        self.failed += 1
        self._hurry = False
        self._warn()
        self._held_since = self._held_since or now
        if self._closed or last or not outcome.again or now - self._held_since > _GIVE_UP:
            self.lost += len(batch)
            self._handled += len(batch)
            self._held_since = 0.0
            return
        self._held = batch
        self._not_before = now + max(self._pause, outcome.pause or 0.0)
        self._pause = min(_LONGEST_PAUSE, self._pause * 2)

    def _take(self) -> Iterable[Span]:
        room = self._batch_bytes
        for _ in range(min(self._batch, len(self._queue))):
            if room <= 0:
                return
            span, size = self._queue.popleft()
            room -= size
            self._bytes -= size
            self._taken += 1
            yield span

    def _warn(self) -> None:
        if not self._warned:
            self._warned = True
            _log.warning(
                "spans do not reach %s: is it up, and is the key right? Said once; wk.stats() counts them", self._where
            )
