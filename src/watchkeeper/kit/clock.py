"""Time, read in one place so that tests can hold it still."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol

__all__ = ["Clock", "SystemClock", "format_rfc3339", "parse_rfc3339"]

_NS = 1_000_000_000
_DIGITS = 9


class Clock(Protocol):
    """What tells the time: nanoseconds since the Unix epoch, UTC."""

    def now_ns(self) -> int:
        """Return the current time in nanoseconds since the epoch."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now_ns(self) -> int:
        """Return the current time in nanoseconds since the epoch."""
        return time.time_ns()


def format_rfc3339(ns: int) -> str:
    """Write nanoseconds since the epoch as RFC 3339 UTC with all nine digits.

    `datetime` stops at microseconds; spans do not.
    """
    seconds, rest = divmod(ns, _NS)
    stamp = datetime.fromtimestamp(seconds, UTC)
    return f"{stamp:%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def parse_rfc3339(text: str) -> int:
    """Read an RFC 3339 time (any offset, up to nine fractional digits) into nanoseconds.

    Raises:
        ValueError: the text is not such a time.
    """
    head, dot, tail = text.strip().partition(".")
    if not dot:
        return _whole_seconds(head) * _NS
    digits = len(tail) - len(tail.lstrip("0123456789"))
    if not 1 <= digits <= _DIGITS:
        message = f"not an RFC 3339 time: {text!r}"
        raise ValueError(message)
    return _whole_seconds(head + tail[digits:]) * _NS + int(tail[:digits].ljust(9, "0"))


def _whole_seconds(text: str) -> int:
    stamp = datetime.fromisoformat(text)
    if stamp.tzinfo is None:
        stamp = stamp.replace(tzinfo=UTC)
    return int(stamp.timestamp())
