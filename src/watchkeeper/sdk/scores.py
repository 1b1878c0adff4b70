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
        self._queue: queue.Queue[dict[str, Any] | None] = queue.Queue(size)
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self.sent = 0
        self.dropped = 0

    def send(self, score: dict[str, Any]) -> None:
        """Queue one score; when the queue is full it is dropped and counted."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="watchkeeper-scores", daemon=True)
                self._thread.start()
        try:
            self._queue.put_nowait(score)
        except queue.Full:
            self.dropped += 1

    def flush(self, timeout: float) -> bool:
        """Wait until the queue is empty, at most `timeout` seconds."""
        end = time.monotonic() + timeout
        while self._queue.unfinished_tasks and time.monotonic() < end:
            time.sleep(0.01)
        return not self._queue.unfinished_tasks

    def close(self, timeout: float = 5) -> None:
        """Send what waits, then end the thread."""
        self.flush(timeout)
        if self._thread is not None and self._thread.is_alive():
            self._queue.put(None)
            self._thread.join(timeout)

    def _run(self) -> None:
        while True:
            score = self._queue.get()
            try:
                if score is None:
                    return
                if self._post(score):
                    self.sent += 1
                else:
                    self.dropped += 1
            finally:
                self._queue.task_done()

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
            time.sleep(0.2 * 2**attempt)
        return False
