"""Identifiers: W3C trace and span ids as lower-case hex, and sortable ids of our own."""

from __future__ import annotations

import os
import re
import time

__all__ = ["is_span_id", "is_trace_id", "new_id"]

_TRACE = re.compile(r"[0-9a-f]{32}")
_SPAN = re.compile(r"[0-9a-f]{16}")


def is_trace_id(text: str) -> bool:
    """Say whether the text is a W3C trace id: 32 lower-case hex digits, not all zero."""
    return _TRACE.fullmatch(text) is not None and text.strip("0") != ""


def is_span_id(text: str) -> bool:
    """Say whether the text is a W3C span id: 16 lower-case hex digits, not all zero."""
    return _SPAN.fullmatch(text) is not None and text.strip("0") != ""


def new_id() -> str:
    """Return a new UUID, version 7 (RFC 9562), as 32 hex digits: unique, and sorted by time."""
    milliseconds = time.time_ns() // 1_000_000
    tail = int.from_bytes(os.urandom(10))
    head = milliseconds << 80 | tail
    head = head & ~(0xF << 76) | 0x7 << 76
    head = head & ~(0x3 << 62) | 0x2 << 62
    return f"{head:032x}"
