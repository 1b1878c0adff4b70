"""What names, labels and JSON in the control store may be, and how JSON is kept."""

from __future__ import annotations

import math
import re
from typing import Any

import msgspec

from watchkeeper.kit.errors import RequestError

__all__ = ["LARGEST", "NAME_MOST", "checked_label", "checked_name", "dumped", "loaded", "short"]

NAME_MOST = 500
"""Characters of a prompt's, dataset's or run's name."""

LARGEST = 1 << 20
"""Bytes of one JSON value, such as an item's input or a prompt's content."""

_LABEL = re.compile(r"[a-z0-9_.-]{1,100}")
_DEEPEST = 100


def checked_name(what: str, name: str) -> str:
    """Return a name that may be one.

    Raises:
        RequestError: it is empty, too long, begins or ends with a space or slash, or holds control characters or `|`.
    """
    if not 0 < len(name) <= NAME_MOST:
        raise RequestError(f"a {what}'s name has 1 to {NAME_MOST} characters")
    if name.strip(" /") != name or not name.isprintable() or "|" in name or "//" in name:
        raise RequestError(
            f"{name[:100]!r} cannot be a {what}'s name",
            hint="no | or control characters, no / or space at its ends, no //",
        )
    return name


def checked_label(label: str) -> str:
    """Return a label that may be one.

    Raises:
        RequestError: it is not 1 to 100 of a-z, 0-9, `_`, `.` and `-`.
    """
    if not _LABEL.fullmatch(label):
        raise RequestError(f"{label[:100]!r} cannot be a label", hint="1 to 100 of a-z, 0-9, _, . and -")
    return label


def short(what: str, text: str | None, most: int) -> str | None:
    """Return a text that is short enough.

    Raises:
        RequestError: it is not, or it holds half a character.
    """
    if text is not None and len(text) > most:
        raise RequestError(f"{what} has {len(text):,} characters; at most {most:,} are kept")
    if text is not None:
        _encodable(what, text)
    return text


def dumped(what: str, value: Any) -> str:  # noqa: ANN401 - JSON is any shape
    """Return a JSON value as the text that is kept.

    Raises:
        RequestError: it is too large, too deep, or not JSON.
    """
    try:
        _measure(value, 0)
        text = msgspec.json.encode(value)
    except (TypeError, ValueError, msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise RequestError(f"{what} cannot be kept as JSON: {error}") from None
    if len(text) > LARGEST:
        raise RequestError(f"{what} has {len(text):,} bytes; at most {LARGEST:,} are kept")
    return text.decode()


def loaded(text: str) -> Any:  # noqa: ANN401 - JSON is any shape
    """Return the value that `dumped` kept."""
    return msgspec.json.decode(text)


def _measure(value: object, depth: int) -> None:
    if depth > _DEEPEST:
        raise ValueError(f"it is nested deeper than {_DEEPEST}")
    if isinstance(value, dict):
        for item in value.values():
            _measure(item, depth + 1)
    elif isinstance(value, list | tuple):
        for item in value:
            _measure(item, depth + 1)
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"it holds {value}")


def _encodable(what: str, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise RequestError(f"{what} holds half a character (a lone surrogate)") from None
