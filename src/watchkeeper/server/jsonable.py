"""Raw telemetry as JSON a browser can read without losing a digit."""

from __future__ import annotations

import base64
import math
from typing import Any

import msgspec

__all__ = ["jsonable"]

_SAFE = 2**53


def jsonable(value: object) -> Any:  # noqa: ANN401, PLR0911 - JSON is any shape; one line a shape
    """Copy a value with big integers, NaN, infinities and bytes as text, and structs as objects."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return value if -_SAFE < value < _SAFE else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, bytes):
        return "base64:" + base64.b64encode(value).decode()
    if isinstance(value, msgspec.Struct):
        return {name: jsonable(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, dict):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in value]
    return str(value)
