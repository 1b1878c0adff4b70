"""Opaque page cursors: where a page ended, as short URL-safe text."""

from __future__ import annotations

import base64
import binascii
from typing import TypeVar

import msgspec

from watchkeeper.kit.errors import RequestError

__all__ = ["ScorePosition", "SpanPosition", "TracePosition", "decode_cursor", "encode_cursor"]


class TracePosition(msgspec.Struct, frozen=True, array_like=True, tag="t"):
    """The last trace shown, and the newest commit paging may see."""

    start: int
    trace_id: str
    revision: int


class SpanPosition(msgspec.Struct, frozen=True, array_like=True, tag="s"):
    """The last span shown."""

    start: int
    trace_id: str
    span_id: str


class ScorePosition(msgspec.Struct, frozen=True, array_like=True, tag="c"):
    """The last score shown."""

    time: int
    id: str


P = TypeVar("P", TracePosition, SpanPosition, ScorePosition)


def encode_cursor(position: TracePosition | SpanPosition | ScorePosition) -> str:
    """Write a position as a cursor."""
    return base64.urlsafe_b64encode(msgspec.json.encode(position)).rstrip(b"=").decode()


def decode_cursor(kind: type[P], cursor: str | None) -> P | None:
    """Read a cursor of that kind; None stays None.

    Raises:
        RequestError: it is not a cursor that this listing gave.
    """
    if cursor is None:
        return None
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=kind)
    except (binascii.Error, ValueError, msgspec.MsgspecError) as error:
        raise RequestError("the cursor is not one this listing gave", hint="start again without it") from error
