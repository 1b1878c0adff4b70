"""Processes that pack exports beside the server's own, so that decoding is not held to one core.

They start when the load asks for them and end when it is gone: an idle server is one process. Each is
driven by one thread at a time over a pair of pipes. One that dies, or answers nothing, costs nothing
but time: its export is packed here. A worker ends when the server does, however that ends, because
its pipe closes.
"""

from __future__ import annotations

import fcntl
import logging
import os
import queue
import subprocess
import sys
import threading
import time
from multiprocessing.connection import Connection

import msgspec

from watchkeeper.kit.settings import environment
from watchkeeper.server.figures import Figures
from watchkeeper.server.otlp.packing import Export

__all__ = ["Answer", "Worker", "WorkerLostError", "WorkerPool", "WorkerSettings"]

_log = logging.getLogger(__name__)
_PIPE = 1 << 20
_BUSY_BYTES = 8 << 20
_WINDOW = 2.0
_REST = 20.0
_ANSWER = 120.0
_PAUSE = 30.0


class WorkerSettings(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a worker reads for itself: price overrides, the manifest and what holds without one, the salt's folder."""

    prices: str | None
    manifest: str | None
    capture: str
    retention: str | None
    folder: str


class Answer(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a worker says of an export; the parcel's bytes follow. `packed` is false where it could not."""

    packed: bool
    rejected: int = 0
    reason: str = ""
    figures: list[Figures] = []
    masked: dict[str, int] = {}


class WorkerLostError(Exception):
    """A worker ended, or does not answer."""


class Worker:
    """One process. Not for two threads at once."""

    def __init__(self, settings: WorkerSettings) -> None:
        to_read, self_write = os.pipe()
        self_read, to_write = os.pipe()
        for end in (self_write, self_read):
            _widen(end)
        told = msgspec.json.encode(settings).decode()
        command = [sys.executable, "-m", "watchkeeper.server.otlp.worker", str(to_read), str(to_write), told]
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own module, with numbers and a path for arguments
                command, pass_fds=(to_read, to_write), stdin=subprocess.DEVNULL, env=dict(environment())
            )
        finally:
            os.close(to_read)
            os.close(to_write)
        self._requests = Connection(self_write, readable=False)
        self._answers = Connection(self_read, writable=False)
        self._decoder = msgspec.msgpack.Decoder(Answer)

    def wait_ready(self, seconds: float = 30.0) -> None:
        """Wait until the worker has loaded what it needs.

        Raises:
            WorkerLostError: it did not come up.
        """
        try:
            if self._answers.poll(seconds) and self._answers.recv_bytes() == b"ready":
                return
        except (OSError, EOFError) as error:
            raise WorkerLostError("a packing process did not start") from error
        raise WorkerLostError("a packing process did not start in time")

    def pack(self, export: Export, body: bytes) -> tuple[Answer, bytes]:
        """Have an export packed.

        Raises:
            WorkerLostError: the process is gone or hangs.
        """
        try:
            self._requests.send_bytes(msgspec.msgpack.encode(export))
            self._requests.send_bytes(body)
            if not self._answers.poll(_ANSWER):
                raise WorkerLostError("a packing process does not answer")
            answer = self._decoder.decode(self._answers.recv_bytes())
            return answer, self._answers.recv_bytes() if answer.packed else b""
        except (OSError, EOFError, msgspec.DecodeError) as error:
            raise WorkerLostError("a packing process is gone") from error

    @property
    def pid(self) -> int:
        """Return the process's number."""
        return self._process.pid

    def kill(self) -> None:
        """End the process at once, whatever it does."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """End the process."""
        self._requests.close()
        self._answers.close()
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class WorkerPool:
    """Up to `limit` workers, started when more than `busy_bytes` of bodies come within two seconds.

    A limit of 0 keeps everything in this process.
    """

    def __init__(self, limit: int, settings: WorkerSettings, *, busy_bytes: int = _BUSY_BYTES) -> None:
        self._busy_bytes = busy_bytes
        self._limit = limit
        self._settings = settings
        self._idle: queue.SimpleQueue[Worker] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._running = 0
        self._starting = False
        self._closed = False
        self._since = 0.0
        self._bytes = 0
        self._used = 0.0

    @property
    def limit(self) -> int:
        """Return how many workers there can be."""
        return self._limit

    @property
    def running(self) -> int:
        """Return how many workers there are now."""
        return self._running

    def take(self, size: int) -> Worker | None:
        """Return a worker that is free, None where there is none; `size` bytes of load are counted either way."""
        if self._limit == 0:
            return None
        now = time.monotonic()
        with self._lock:
            if now - self._since > _WINDOW:
                self._since, self._bytes = now, 0
            self._bytes += size
            self._used = now
            wanted = self._bytes > self._busy_bytes and not (self._running or self._starting or self._closed)
            if wanted:
                self._starting = True
        if wanted:
            threading.Thread(target=self._start, name="watchkeeper-workers", daemon=True).start()
        if not self._running:
            return None
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            return None

    def give_back(self, worker: Worker) -> None:
        """Return a worker that did its work."""
        with self._lock:
            if not self._closed:
                self._idle.put(worker)
                return
        worker.stop()

    def drop(self, worker: Worker) -> None:
        """Give up a worker that failed; the load will start others once none is left."""
        _log.warning("a packing process ended; its export is packed by the server itself")
        worker.stop()
        with self._lock:
            self._running -= 1

    def close(self) -> None:
        """End those that are idle; the others end when they are given back."""
        with self._lock:
            self._closed = True
        self._end_idle()

    def _start(self) -> None:
        started: list[Worker] = []
        try:
            started.extend(Worker(self._settings) for _ in range(self._limit))
            while started:
                started[0].wait_ready()
                with self._lock:
                    self._running += 1
                self.give_back(started.pop(0))
        except (OSError, WorkerLostError) as error:
            _log.warning("%s; the server packs by itself and tries again in %d s", error, _PAUSE)
            for worker in started:
                worker.stop()
        finally:
            with self._lock:
                self._starting = False
                self._since = time.monotonic() + (_PAUSE if started else 0)
                self._bytes = 0
        self._watch()

    def _watch(self) -> None:
        """End the workers once there was no load for a while."""
        while self._running and not self._closed:
            time.sleep(1.0)
            if time.monotonic() - self._used > _REST:
                self._end_idle()

    def _end_idle(self) -> None:
        while True:
            try:
                worker = self._idle.get_nowait()
            except queue.Empty:
                return
            worker.stop()
            with self._lock:
                self._running -= 1


def _widen(pipe: int) -> None:
    """Let a whole export fit the pipe where the system allows it: fewer switches between the two processes."""
    try:
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE)
    except (AttributeError, OSError):
        _log.debug("the pipe keeps its size")
