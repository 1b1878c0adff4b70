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
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

__all__ = ["SpanQueue"]

_log = logging.getLogger("watchkeeper")
_MIB = 1 << 20
_SPAN_BYTES = 1_000
_DOWN_GRACE = 0.5


class SpanQueue(SpanProcessor):
    """A bounded queue of ended spans and the thread that empties it.

    A full queue drops the newest span and counts it: the host never waits. `sent` were taken by the
    server, `lost` were refused or not answered, `dropped` found no place in the queue.

    Args:
        exporter: what sends a batch.
        where: its address, for the one warning.
        size: most spans that may wait.
        size_bytes: most bytes of attribute text that may wait.
        batch: most spans in a request.
        batch_bytes: attribute text in a request, give or take one span; a server takes 64 MiB.
        delay: seconds between requests while fewer than `batch` wait.
    """

    _changed: threading.Condition
    _queue: collections.deque[tuple[ReadableSpan, int]]
    _thread: threading.Thread | None
    _bytes: int
    _taken: int
    _handled: int
    _hurry: bool

    def __init__(
        self,
        exporter: SpanExporter,
        where: str,
        *,
        size: int = 8_192,
        size_bytes: int = 128 * _MIB,
        batch: int = 512,
        batch_bytes: int = 8 * _MIB,
        delay: float = 1.0,
    ) -> None:
        self.sent = 0
        self.lost = 0
        self.dropped = 0
        self._exporter = exporter
        self._where = where
        self._size, self._size_bytes = size, size_bytes
        self._batch, self._batch_bytes = batch, batch_bytes
        self._delay = delay
        self._closed = False
        self._warned = False
        self._failing = False
        self._reset()
        if hasattr(os, "register_at_fork"):
            forked = weakref.WeakMethod(self._reset)
            os.register_at_fork(after_in_child=lambda: reset() if (reset := forked()) is not None else None)

    def on_end(self, span: ReadableSpan) -> None:
        """Queue a span: what the host's thread pays for."""
        if span.context is None or not span.context.trace_flags.sampled:
            return
        size = _SPAN_BYTES + sum(len(value) for value in (span.attributes or {}).values() if isinstance(value, str))
        with self._changed:
            if self._closed or len(self._queue) >= self._size or self._bytes + size > self._size_bytes:
                self.dropped += 1
                return
            self._queue.append((span, size))
            self._bytes += size
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="watchkeeper-spans", daemon=True)
                self._thread.start()
            if len(self._queue) == self._batch or self._bytes >= self._batch_bytes:
                self._changed.notify_all()

    def flush(self, timeout: float) -> bool:
        """Send what waits; False when that took longer than `timeout` seconds, or the server did not take it."""
        end = time.monotonic() + timeout
        with self._changed:
            lost, upto = self.lost, self._taken + len(self._queue)
            self._hurry = True
            self._changed.notify_all()
            in_time = self._changed.wait_for(lambda: self._handled >= upto, max(0.0, end - time.monotonic()))
            return in_time and self.lost == lost

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Do what `flush` does, under OTel's name."""
        return self.flush(timeout_millis / 1_000)

    def shutdown(self, timeout: float = 5.0) -> None:
        """Send what waits for at most `timeout` seconds (half a second to a server that is down), then stop."""
        with self._changed:
            if self._closed:
                return
            self._closed = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(min(timeout, _DOWN_GRACE) if self._failing else timeout)
        with self._changed:
            self.lost += len(self._queue)
            self._queue.clear()
        self._exporter.shutdown()

    def _reset(self) -> None:
        """Begin empty; in a forked child too, where the thread is gone and the parent sends what waited."""
        self._changed = threading.Condition()
        self._queue = collections.deque()
        self._thread = None
        self._bytes = 0
        self._taken = 0
        self._handled = 0
        self._hurry = False

    def _run(self) -> None:
        attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, value=True))
        while True:
            with self._changed:
                self._changed.wait_for(self._due, self._delay)
                if self._closed and not self._queue:
                    return
                batch = list(self._take())
                if not self._queue:
                    self._hurry = False
            if batch:
                self._send(batch)
                with self._changed:
                    self._handled += len(batch)
                    self._changed.notify_all()

    def _due(self) -> bool:
        waiting = len(self._queue)
        full = waiting >= self._batch or self._bytes >= self._batch_bytes
        return self._closed or full or (self._hurry and waiting > 0)

    def _take(self) -> Iterable[ReadableSpan]:
        room = self._batch_bytes
        for _ in range(min(self._batch, len(self._queue))):
            if room <= 0:
                return
            span, size = self._queue.popleft()
            room -= size
            self._bytes -= size
            self._taken += 1
            yield span

    def _send(self, batch: list[ReadableSpan]) -> None:
        try:
            taken = self._exporter.export(batch) is SpanExportResult.SUCCESS
        except Exception:
            _log.debug("export failed", exc_info=True)
            taken = False
        self._failing = not taken
        if taken:
            self.sent += len(batch)
            return
        self.lost += len(batch)
        if not self._warned:
            self._warned = True
            _log.warning(
                "spans do not reach %s: is it up, and is the key right? Said once; wk.stats() counts them", self._where
            )
