"""How a batch of spans leaves: over OTLP/HTTP by our own hand, or through an exporter that the host gave."""

from __future__ import annotations

import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from watchkeeper.sdk.http import Wire
from watchkeeper.sdk.recorder import Recording
from watchkeeper.sdk.wire import encode_request

__all__ = ["ExporterSender", "OtlpSender", "Outcome", "Sender", "WireSender"]

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)

_log = logging.getLogger("watchkeeper")
_TIMEOUT = 10.0
_BREATH = 50e-6
"""Seconds: long enough that a thread of the host that waits for the interpreter gets it."""
_TOO_LARGE = 413
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
"""Protobuf's wire types."""

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
    """How many of a batch that was taken are not stored all the same."""
    too_large: bool = False
    """Whether half of the batch may be taken."""
    status: int = 0
    """What the server answered, 0 for nothing."""


class Sender(Protocol[T_contra]):
    """Sends batches, one at a time, and never raises."""

    def send(self, batch: Sequence[T_contra], timeout: float | None) -> Outcome:
        """Send one, within `timeout` seconds where the sender can."""
        ...

    def close(self) -> None:
        """Let go of what it holds."""
        ...

    def after_fork(self) -> None:
        """Let go, in a child, of what is the parent's."""
        ...


class WireSender(ABC, Generic[T]):
    """Sends over one kept connection.

    Args:
        wire: the connection.
        timeout: seconds a request may take.
    """

    def __init__(self, wire: Wire, timeout: float = _TIMEOUT) -> None:
        self._wire = wire
        self._timeout = timeout
        self._lock = threading.Lock()
        self._closed = False
        self._encoded: tuple[Sequence[T], bytes, int] | None = None
        """The last batch that was not taken: it is not prepared and encoded again."""

    def send(self, batch: Sequence[T], timeout: float | None) -> Outcome:
        """Encode and post a batch."""
        with self._lock:
            outcome = self._send(batch, timeout)
            if self._closed:
                self._wire.close()
        return outcome

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

    @abstractmethod
    def _body(self, batch: Sequence[T]) -> tuple[bytes, int]:
        """Return a batch's bytes, and how many of it are not in them."""

    def _refused(self, body: bytes) -> int:  # noqa: ARG002 - for those who are told
        """Read from an answer how many were not stored."""
        return 0

    def _send(self, batch: Sequence[T], timeout: float | None) -> Outcome:
        if self._encoded is not None and self._encoded[0] is batch:
            _, body, missing = self._encoded
        else:
            try:
                body, missing = self._body(batch)
            except Exception:
                _log.debug("a batch could not be encoded", exc_info=True)
                return Outcome(taken=False)
        self._encoded = None
        answer = self._wire.post(body, self._timeout if timeout is None else min(timeout, self._timeout))
        if answer.taken:
            return Outcome(
                taken=True, refused=min(len(batch), missing + self._refused(answer.body)), status=answer.status
            )
        if answer.again:
            self._encoded = (batch, body, missing)
        return Outcome(
            taken=False,
            again=answer.again,
            pause=answer.pause,
            too_large=answer.status == _TOO_LARGE,
            status=answer.status,
        )


class OtlpSender(WireSender["ReadableSpan | Recording"]):
    """OTLP/HTTP, protobuf.

    Args:
        wire: the connection.
        prepare: see `Prepare`.
        timeout: seconds a request may take.
    """

    def __init__(self, wire: Wire, prepare: Prepare | None = None, timeout: float = _TIMEOUT) -> None:
        super().__init__(wire, timeout)
        self._prepare = prepare

    def _body(self, batch: Sequence[ReadableSpan | Recording]) -> tuple[bytes, int]:
        made = encode_request(batch if self._prepare is None else self._prepare(batch), _breathe)
        return made.body, made.left_out

    def _refused(self, body: bytes) -> int:
        return _rejected(body)


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


def _rejected(body: bytes) -> int:
    """Read `partial_success.rejected_spans` from an answer; one that is no such thing says 0."""
    try:
        for number, partial in _fields(body):
            if number == 1 and isinstance(partial, bytes):
                told = dict(_fields(partial)).get(1, 0)
                return told if isinstance(told, int) and told < 1 << 63 else 0
    except IndexError:
        _log.debug("an answer could not be read", exc_info=True)
    return 0


def _fields(told: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Read a protobuf message: field numbers with integers or bytes.

    Raises:
        IndexError: it is none, or cut off.
    """
    at = 0
    while at < len(told):
        tag, at = _varint(told, at)
        kind = tag & 7
        if kind == _VARINT:
            number, at = _varint(told, at)
            yield tag >> 3, number
            continue
        size = {_FIXED64: 8, _FIXED32: 4}.get(kind, -1)
        if kind == _BYTES:
            size, at = _varint(told, at)
        if size < 0 or at + size > len(told):
            raise IndexError("no protobuf")
        yield tag >> 3, told[at : at + size]
        at += size


def _varint(told: bytes, at: int) -> tuple[int, int]:
    number = 0
    for shift in range(0, 70, 7):
        byte = told[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - a varint's last byte
            return number, at
    raise IndexError("no varint")
