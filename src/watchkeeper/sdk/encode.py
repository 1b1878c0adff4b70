"""Values to attribute text, bounded, and never raising: a guest does not break the host over a strange `repr`."""

from __future__ import annotations

import msgspec

__all__ = ["LIMIT", "to_json", "to_text"]

LIMIT = 1 << 20
"""Most characters of one captured value."""


def to_json(value: object) -> str:
    """Write a value as JSON; foreign objects by their own dump, else as text; cut at `LIMIT`."""
    try:
        text = _ENCODER.encode(value).decode()
    except Exception as error:
        text = f'"<not encodable: {type(error).__name__}>"'
    return _cut(text)


def to_text(value: object) -> str:
    """Keep text as it is and write anything else as JSON."""
    return _cut(value) if isinstance(value, str) else to_json(value)


def _foreign(value: object) -> object:
    dump = getattr(value, "model_dump", None)
    if callable(dump):
        return dump(mode="json", exclude_none=True)
    if isinstance(value, BaseException):
        return f"{type(value).__name__}: {value}"
    fields = getattr(value, "__dict__", None)
    if isinstance(fields, dict) and type(value).__repr__ is object.__repr__:
        return {key: item for key, item in fields.items() if not key.startswith("_")}
    return repr(value)


def _cut(text: str) -> str:
    return text if len(text) <= LIMIT else text[:LIMIT] + f"… [{len(text) - LIMIT} more characters]"


_ENCODER = msgspec.json.Encoder(enc_hook=_foreign)
