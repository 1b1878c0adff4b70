"""Python values as OTLP/JSON, and times as OTLP has them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from watchkeeper.importers.page import Tree
from watchkeeper.kit.clock import parse_rfc3339

__all__ = ["attributes", "nanoseconds", "nested"]

_INT64 = 2**63
_MILLION = 1_000_000


def attributes(values: Mapping[str, Any]) -> list[Tree]:
    """Write values as OTLP attributes; None is left out."""
    return [{"key": key, "value": _any(value)} for key, value in values.items() if value is not None]


def _any(value: object) -> Tree:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int) and -_INT64 <= value < _INT64:
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value if math.isfinite(value) else str(value)}
    if isinstance(value, list | tuple):
        return {"arrayValue": {"values": [_any(one) for one in value]}}
    if isinstance(value, Mapping):
        return {"kvlistValue": {"values": [{"key": str(key), "value": _any(one)} for key, one in value.items()]}}
    return {} if value is None else {"stringValue": str(value)}


def nested(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return a tree's leaves by dotted key; lists of plain values stay lists, lists of objects get their index."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            found |= nested(value, f"{name}.")
        elif isinstance(value, list) and any(isinstance(one, Mapping) for one in value):
            found |= nested({str(at): one for at, one in enumerate(value)}, f"{name}.")
        else:
            found[name] = value
    return found


def nanoseconds(value: object) -> int:
    """Read a time: RFC 3339 (without an offset it is UTC), a `datetime`, or milliseconds since the epoch; 0 for none.

    Raises:
        ValueError: it is none of them.
    """
    if value is None or value == "":
        return 0
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return round(aware.timestamp() * _MILLION) * 1_000
    if isinstance(value, int) and not isinstance(value, bool):
        return value * _MILLION
    return parse_rfc3339(str(value))
