"""How a batch of spans leaves: over OTLP/HTTP by our own hand, or through an exporter that the host gave."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from watchkeeper.sdk.http import Wire
from watchkeeper.sdk.recorder import Recording
from watchkeeper.sdk.wire import encode_request

__all__ = ["ExporterSender", "OtlpSender", "Outcome", "Sender"]

_log = logging.getLogger("watchkeeper")
_TIMEOUT = 10.0
_BREATH = 50e-6
"""Seconds: long enough that a thread of the host that waits for the interpreter gets it."""
_PARTIAL, _REJECTED = 0x0A, 0x08

Prepare = Callable[[Sequence[ReadableSpan | Recording]], Sequence[Any]]
"""What is done to spans before they leave."""


class Outcome(NamedTuple):
    """What came of a batch."""

    taken: bool
    again: bool = False
    """Whether the same batch may be taken later."""
    pause: float | None = None
    """Seconds the server asks to be left alone."""
    refused: int = 0
    """Spans that the server took note of and did not store."""


class Sender(Protocol):
    """Sends batches, one at a time, and never raises."""

    def send(self, batch: Sequence[ReadableSpan | Recording], timeout: float | None) -> Outcome:
        """Send one, within `timeout` seconds where the sender can."""
        ...

    def close(self) -> None:
        """Let go of what it holds."""
        ...

    def after_fork(self) -> None:
        """Let go, in a child, of what is the parent's."""
        ...


class OtlpSender:
    """OTLP/HTTP, protobuf, over one kept connection.

    Args:
        wire: the connection.
        prepare: see `Prepare`.
        timeout: seconds a request may take.
    """

    def __init__(self, wire: Wire, prepare: Prepare | None = None, timeout: float = _TIMEOUT) -> None:
        self._wire = wire
        self._prepare = prepare
        self._timeout = timeout
        self._lock = threading.Lock()
        self._closed = False
        self._encoded: tuple[Sequence[Any], bytes] | None = None
        """The last batch that was not taken: it is not prepared and encoded again."""

    def send(self, batch: Sequence[ReadableSpan | Recording], timeout: float | None) -> Outcome:
        """Encode and post a batch."""
        with self._lock:
            outcome = self._send(batch, timeout)
            if self._closed:
                self._wire.close()
        return outcome

    def _send(self, batch: Sequence[ReadableSpan | Recording], timeout: float | None) -> Outcome:
        if self._encoded is not None and self._encoded[0] is batch:
            body = self._encoded[1]
        else:
            try:
                ready = batch if self._prepare is None else self._prepare(batch)
                body = encode_request(ready, _breathe)
            except Exception:
                _log.debug("a batch could not be encoded", exc_info=True)
                return Outcome(taken=False)
        self._encoded = None
        answer = self._wire.post(body, self._timeout if timeout is None else min(timeout, self._timeout))
        if not answer.taken:
            self._encoded = (batch, body)
        refused = min(len(batch), _refused(answer.body)) if answer.taken else 0
        return Outcome(answer.taken, answer.again, answer.pause, refused)

    def close(self) -> None:
        """Close the connection, now or when the request under way is over."""
        self._closed = True
        if self._lock.acquire(blocking=False):
            self._wire.close()
            self._lock.release()

    def after_fork(self) -> None:
        """Open a connection of the child's own."""
        self._lock = threading.Lock()
        self._encoded = None
        self._wire.forget()


class ExporterSender:
    """An OTel exporter; it gets spans of OTel's own type, and tries again itself where it wants to."""

    def __init__(self, exporter: SpanExporter, prepare: Prepare | None = None) -> None:
        self._exporter = exporter
        self._prepare = prepare

    def send(self, batch: Sequence[ReadableSpan | Recording], timeout: float | None) -> Outcome:  # noqa: ARG002 - the exporter has its own
        """Export a batch."""
        try:
            ready = batch if self._prepare is None else self._prepare(batch)
            told = [span.readable() if isinstance(span, Recording) else span for span in ready]
            return Outcome(self._exporter.export(told) is SpanExportResult.SUCCESS)
        except Exception:
            _log.debug("export failed", exc_info=True)
            return Outcome(taken=False)

    def close(self) -> None:
        """Shut the exporter down."""
        self._exporter.shutdown()

    def after_fork(self) -> None:
        """Leave it to the exporter."""


def _breathe() -> None:
    time.sleep(_BREATH)


def _refused(body: bytes) -> int:
    """Read `partial_success.rejected_spans` from an answer; one that is no such thing says 0."""
    try:
        if len(body) < 4 or body[0] != _PARTIAL or body[2] != _REJECTED:  # noqa: PLR2004 - two tags, a length, a number
            return 0
        number = shift = 0
        for byte in body[3:13]:
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:  # noqa: PLR2004 - a varint's last byte
                return number
    except IndexError:
        _log.debug("an answer could not be read", exc_info=True)
    return 0
