"""Tolerant readers: a field may come as its own type, as JSON text, as an array, a kvlist or indexed keys."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from watchkeeper.model import Attributes, AttributeValue

__all__ = ["integer", "loads", "nested", "number", "plain", "strings", "text"]

_MAX_INDEX = 4_096
_TOKENS_MAX = 2**53


def text(value: AttributeValue) -> str | None:
    """Return a non-empty text, numbers as text, else None."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return str(value)


def integer(value: AttributeValue) -> int | None:
    """Return a count (>= 0) from an int, a whole double or digits, else None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        value = int(value) if value.isascii() and value.isdigit() and len(value) < 17 else None  # noqa: PLR2004 - < 2^53
    if isinstance(value, float):
        value = int(value) if math.isfinite(value) else None
    return value if isinstance(value, int) and 0 <= value < _TOKENS_MAX else None


def number(value: AttributeValue) -> float | None:
    """Return a finite number from a number or a number's text, else None."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def loads(value: AttributeValue) -> Any:  # noqa: ANN401 - JSON is any shape
    """Return what a JSON text holds; a value that is no JSON text comes back as it is."""
    if isinstance(value, str) and value[:1] in {"{", "[", '"'}:
        try:
            return msgspec.json.decode(value)
        except (msgspec.DecodeError, RecursionError):
            return value
    return value


def strings(value: AttributeValue) -> tuple[str, ...]:
    """Return texts from an array, a JSON array's text, or one text."""
    found = loads(value)
    if isinstance(found, list | tuple):
        return tuple(item for item in found if isinstance(item, str))
    return (found,) if isinstance(found, str) and found else ()


def plain(value: object) -> Any:  # noqa: ANN401 - JSON is any shape
    """Copy a value so that it can be written as JSON: bytes and non-finite doubles as text."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def nested(attributes: Attributes, prefix: str) -> Any:  # noqa: ANN401 - lists and dicts of any depth
    """Fold indexed keys (`prefix.0.a.b`) into lists and dicts; None when there are none.

    Positions are kept in order, gaps are closed, and an index beyond a bound is not believed.
    """
    root: dict[str, Any] = {}
    start = len(prefix)
    for key, value in attributes.items():
        if not key.startswith(prefix):
            continue
        place = root
        steps = key[start:].split(".")
        for step in steps[:-1]:
            inner = place.setdefault(step, {})
            if not isinstance(inner, dict):
                inner = place[step] = {}
            place = inner
        if not isinstance(place.get(steps[-1]), dict):
            place[steps[-1]] = value
    return _lists(root) if root else None


def _lists(value: Any) -> Any:  # noqa: ANN401 - any depth
    if not isinstance(value, dict):
        return value
    keys = list(value)
    if keys and all(key.isascii() and key.isdigit() and len(key) < 6 for key in keys):  # noqa: PLR2004 - a bound
        order = sorted((int(key), key) for key in keys)
        return [_lists(value[key]) for index, key in order if index < _MAX_INDEX]
    return {key: _lists(item) for key, item in value.items()}
