"""Slows down who guesses: failures are counted by what was tried, and too many of them close it for a while."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

from watchkeeper.kit.errors import OverloadedError

__all__ = ["Throttle"]

_REMEMBERED = 20_000


class Throttle:
    """Counts failures by name over a sliding window.

    Args:
        most: failures that are allowed in a window.
        window: its length in seconds.
        tick: monotonic seconds.
    """

    def __init__(self, most: int, window: float = 900.0, tick: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._window = window
        self._tick = tick
        self._lock = threading.Lock()
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def check(self, name: str) -> None:
        """Let the name pass, if it has not failed too often.

        Raises:
            OverloadedError: it has; says when to try again.
        """
        with self._lock:
            found = self._fresh(name)
            if found is not None and len(found) >= self._most:
                wait = math.ceil(found[-self._most] + self._window - self._tick())
                raise OverloadedError("too many failed attempts; wait before the next", retry_after=max(1, wait))

    def failed(self, name: str) -> None:
        """Note a failure."""
        with self._lock:
            found = self._fresh(name)
            if found is None:
                found = self._failures[name] = deque(maxlen=self._most)
            found.append(self._tick())
            self._failures.move_to_end(name)
            if len(self._failures) > _REMEMBERED:
                self._failures.popitem(last=False)

    def forget(self, name: str) -> None:
        """Forget a name's failures, since it succeeded."""
        with self._lock:
            self._failures.pop(name, None)

    def _fresh(self, name: str) -> deque[float] | None:
        found = self._failures.get(name)
        if found is None:
            return None
        while found and found[0] <= self._tick() - self._window:
            found.popleft()
        return found
