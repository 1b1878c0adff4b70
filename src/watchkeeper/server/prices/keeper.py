"""The thread that shares each hour of on-premises models a few minutes after its end, and once more a day later.

The second time is for calls that came late: an app that was cut off, an import.
"""

from __future__ import annotations

import logging
import threading

from watchkeeper.kit.clock import Clock
from watchkeeper.kit.errors import WatchkeeperError
from watchkeeper.pricing import HOUR
from watchkeeper.server.prices.hours import Hours

__all__ = ["HourKeeper"]

_log = logging.getLogger("watchkeeper.server")
_LOOK = 60.0
_GRACE = HOUR // 12
_AGAIN = 24


class HourKeeper:
    """Runs on a thread of its own; `start`, then `close`. The first look goes a day back."""

    def __init__(self, hours: Hours, clock: Clock) -> None:
        self._hours = hours
        self._clock = clock
        self._next: int | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hour-keeper", daemon=True)

    def start(self) -> None:
        """Begin; the first look is after a minute, so that a start is not held up."""
        self._thread.start()

    def close(self) -> None:
        """Stop after the hour under way."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def look(self) -> None:
        """Share the hours that ended since the last look, and those of a day before."""
        end = (self._clock.now_ns() - _GRACE) // HOUR * HOUR
        first = end - _AGAIN * HOUR if self._next is None else self._next
        due = {hour - back for hour in range(first, end, HOUR) for back in (0, _AGAIN * HOUR)}
        known = self._hours.over(min(due), end) if due else range(0)
        for hour in sorted(due):
            if self._stop.is_set():
                return
            if hour in known:
                self._hours.share(hour, "")
        self._next = end

    def _run(self) -> None:
        while not self._stop.wait(_LOOK):
            try:
                self.look()
            except WatchkeeperError as error:
                _log.warning("sharing the hours of on-premises models: %s", error.message)
