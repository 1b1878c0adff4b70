"""Scores to the server, from a thread of their own: the host never waits for them."""

from __future__ import annotations

import json
import logging
import queue
import threading
import time
import urllib.error
import urllib.request
from typing import Any

from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, attach, set_value

__all__ = ["ScoreSender"]

_log = logging.getLogger("watchkeeper")
_TRIES = 3
_LAST_CLIENT_ERROR = 499
_TOO_MANY = 429


class ScoreSender:
    """A bounded queue and a thread that starts with the first score."""

    def __init__(self, endpoint: str, api_key: str | None, size: int = 1_000) -> None:
        self._url = f"{endpoint}/api/v1/scores"
        self._headers = {"Content-Type": "application/json"}
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"
        self._size = size
        self._reset()

    def _reset(self) -> None:
        self._queue: queue.Queue[dict[str, Any]] = queue.Queue(self._size)
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._failing = False
        self.sent = 0
        self.dropped = 0

    def after_fork(self) -> None:
        """Begin empty in a forked child: the parent sends what waited."""
        self._reset()

    def send(self, score: dict[str, Any]) -> None:
        """Queue one score; when the queue is full it is dropped and counted."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = self._started()
        try:
            self._queue.put_nowait(score)
        except queue.Full:
            self.dropped += 1

    def _started(self) -> threading.Thread | None:
        thread = threading.Thread(target=self._run, name="watchkeeper-scores", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # no threads here: `flush` sends from the caller's
            return None
        return thread

    def flush(self, timeout: float) -> bool:
        """Wait until the queue is empty, at most `timeout` seconds; without a thread, send from here."""
        end = time.monotonic() + timeout
        while self._queue.unfinished_tasks and time.monotonic() < end:
            if self._thread is not None and self._thread.is_alive():
                break
            try:
                self._deliver(self._queue.get_nowait())
            except queue.Empty:
                break
        while self._queue.unfinished_tasks and time.monotonic() < end:
            time.sleep(0.01)
        return not self._queue.unfinished_tasks

    def close(self, timeout: float = 5) -> None:
        """Send what waits for at most `timeout` seconds (half a second to a server that is down), then stop."""
        self.flush(min(timeout, 0.5) if self._failing else timeout)
        self._stop.set()

    def _run(self) -> None:
        attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, value=True))
        while not self._stop.is_set():
            try:
                score = self._queue.get(timeout=1)
            except queue.Empty:
                continue
            self._deliver(score)

    def _deliver(self, score: dict[str, Any]) -> None:
        try:
            taken = self._post(score)
        except Exception:
            _log.debug("a score could not be sent", exc_info=True)
            taken = False
        finally:
            self._queue.task_done()
        self._failing = not taken
        self.sent += taken
        self.dropped += not taken

    def _post(self, score: dict[str, Any]) -> bool:
        body = json.dumps(score, default=str).encode()
        for attempt in range(_TRIES):
            request = urllib.request.Request(self._url, body, self._headers)  # noqa: S310 - http(s), checked by init
            try:
                with urllib.request.urlopen(request, timeout=5):  # noqa: S310 - the same
                    return True
            except urllib.error.HTTPError as error:
                if error.code <= _LAST_CLIENT_ERROR and error.code != _TOO_MANY:
                    _log.warning("the server refused a score: %s", error.code)
                    return False
            except OSError:
                _log.debug("no answer for a score", exc_info=True)
            if self._stop.wait(0.2 * 2**attempt):
                return False
        return False
