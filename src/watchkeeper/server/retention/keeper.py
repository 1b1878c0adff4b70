"""The thread that deletes what is too old and gives space back.

Every `period` it asks the policy for each service's age in days and expires the rest in steps, with a
rest after each so that commits hardly notice. What was erased leaves the files at the next look where the store is
small, and at the latest a day after the erasure where it is large, since the file is written anew for it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from watchkeeper.kit.clock import Clock
from watchkeeper.kit.errors import StoreError, WatchkeeperError
from watchkeeper.store.api import SpanStore

__all__ = ["Housekeeper", "HousekeepingReport"]

_log = logging.getLogger("watchkeeper.server")
_DAY_NS = 86_400 * 1_000_000_000
_SMALL = 1 << 30
_LOOK = 30.0
_REST = 0.05
_AGAIN = 600.0
_KEPT_DAYS = 30


@dataclass(frozen=True, slots=True)
class HousekeepingReport:
    """What was done since the server started. Times in ns, None where never; the last failure, "" where none."""

    last_run: int | None = None
    spans: int = 0
    scores: int = 0
    reclaimed_bytes: int = 0
    last_reclaim: int | None = None
    failure: str = ""


class Housekeeper:
    """Runs on a thread of its own; `start`, then `close`."""

    def __init__(
        self,
        store: SpanStore,
        retention: Callable[[str], int | None],
        clock: Clock,
        *,
        period: float,
        kept: Callable[[], int] = lambda: _KEPT_DAYS,
        media: Callable[[], int] = lambda: 0,
    ) -> None:
        self._store = store
        self._kept = kept
        self._media = media
        self._media_at: int | None = None
        self._retention = retention
        self._clock = clock
        self._period = period
        self._stop = threading.Event()
        self._look = threading.Event()
        self._thread = threading.Thread(target=self._run, name="housekeeper", daemon=True)
        self.report = HousekeepingReport()

    def start(self) -> None:
        """Begin; the first run is after a minute, so that a start is not held up."""
        self._thread.start()

    def look(self) -> None:
        """Look now whether something is to be given back. Any thread."""
        self._look.set()

    def close(self) -> None:
        """Stop after the step under way."""
        self._stop.set()
        self._look.set()
        if self._thread.is_alive():
            self._thread.join()

    def expire(self) -> None:
        """Delete what every service's policy says is too old, and what was set aside too long ago."""
        now = self._clock.now_ns()
        gone = self._store.expire_kept(now - self._kept() * _DAY_NS)
        if gone:
            _log.warning("%d files of the journal that could not be stored were deleted by age", gone)
        before_all = self.report.spans
        for row in self._store.services():
            days = self._retention(row.service)
            before = now - (days or 0) * _DAY_NS
            more = days is not None and row.oldest < before
            while more and not self._stop.is_set():
                step = self._store.expire(row.project, row.service, before)
                self._note(spans=self.report.spans + step.spans, scores=self.report.scores + step.scores)
                more = step.more
                self._stop.wait(_REST)
        self._sweep(now, expired=self.report.spans > before_all)
        self._note(last_run=now)

    def _sweep(self, now: int, *, expired: bool) -> None:
        """Delete media whose traces are gone: where some just went, and once a day."""
        if expired or self._media_at is None or now - self._media_at >= _DAY_NS:
            if gone := self._media():
                _log.info("%d media whose traces are gone were deleted", gone)
            self._media_at = now

    def reclaim(self) -> None:
        """Give back what can be, where it is due or worth it."""
        done = self._store.reclaim()
        if done.rewritten:
            gained = max(0, done.before - done.after)
            self._note(reclaimed_bytes=self.report.reclaimed_bytes + gained, last_reclaim=self._clock.now_ns())
            _log.info("the store was written anew in %.1f s: %d bytes given back", done.seconds, gained)

    def is_due(self) -> bool:
        """Say whether erased bytes have waited long enough for the file to be written anew."""
        stats = self._store.stats()
        if stats.reclaim_due is None:
            return False
        return stats.disk_bytes < _SMALL or self._clock.now_ns() - stats.reclaim_due >= _DAY_NS

    def _run(self) -> None:
        next_run, not_before = time.monotonic() + min(60.0, self._period), 0.0
        while not self._stop.is_set():
            self._look.wait(_LOOK)
            self._look.clear()
            if self._stop.is_set():
                return
            runs = time.monotonic() >= next_run
            rewrites = False
            try:
                if runs:
                    next_run = time.monotonic() + self._period
                    self.expire()
                rewrites = time.monotonic() >= not_before and (self.is_due() or (runs and self._erased_nothing()))
                if rewrites:
                    self.reclaim()
                # A look at which nothing was tried, or not what failed, mends nothing.
                if (runs or rewrites) and time.monotonic() >= not_before:
                    self._note(failure="")
            except WatchkeeperError as error:
                if rewrites:
                    not_before = time.monotonic() + _AGAIN
                self._note(failure=error.message)
                if not (isinstance(error, StoreError) and self._stop.is_set()):
                    _log.warning("housekeeping: %s", error.message)

    def _erased_nothing(self) -> bool:
        return self._store.stats().reclaim_due is None

    def _note(self, **changes: object) -> None:
        self.report = replace(self.report, **changes)  # type: ignore[arg-type]  # fields of the report
