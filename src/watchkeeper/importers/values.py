"""Python values as OTLP/JSON, and times as OTLP has them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, TypeVar

from watchkeeper.importers.page import Tree
from watchkeeper.kit.clock import parse_rfc3339

__all__ = ["attributes", "nanoseconds", "nested", "pieces", "value_of"]

T = TypeVar("T")

_INT64 = 2**63
_MILLION = 1_000_000
_ODD = {"inf": "Infinity", "-inf": "-Infinity"}  # as protobuf writes them in JSON
_MILLISECONDS, _MICROSECONDS = 10**14, 10**17
"""Below the one a number of our times counts milliseconds, below the other microseconds, else nanoseconds."""


def attributes(values: Mapping[str, Any]) -> list[Tree]:
    """Write values as OTLP attributes; None is left out."""
    return [{"key": key, "value": _any(value)} for key, value in values.items() if value is not None]


def _any(value: object) -> Tree:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int) and -_INT64 <= value < _INT64:
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value if math.isfinite(value) else _ODD.get(str(value), "NaN")}
    if isinstance(value, list | tuple):
        return {"arrayValue": {"values": [_any(one) for one in value]}}
    if isinstance(value, Mapping):
        return {"kvlistValue": {"values": [{"key": str(key), "value": _any(one)} for key, one in value.items()]}}
    return {} if value is None else {"stringValue": str(value)}


def value_of(told: object) -> Any:  # noqa: ANN401 - any value
    """Read an OTLP value out of JSON, in camelCase or snake_case, as Python."""
    for kind, inner in told.items() if isinstance(told, Mapping) else ():
        match kind.removesuffix("Value").removesuffix("_value"):
            case "int":
                return int(inner)
            case "double":
                return float(inner)
            case "array":
                return [value_of(one) for one in inner.get("values") or ()]
            case "kvlist":
                return {one.get("key", ""): value_of(one.get("value")) for one in inner.get("values") or ()}
            case _:
                return inner
    return None


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
    """Read a time: RFC 3339 (without an offset it is UTC), or milli-, micro- or nanoseconds since the epoch; 0 for none.

    Raises:
        ValueError: it is none of them.
    """
    if value is None or value == "":
        return 0
    if isinstance(value, int) and not isinstance(value, bool):
        return value * (_MILLION if value < _MILLISECONDS else 1_000 if value < _MICROSECONDS else 1)
    return parse_rfc3339(str(value))


def pieces(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield so many at a time."""
    left = iter(items)
    while piece := list(islice(left, size)):
        yield piece
