"""Values to attribute text, bounded, and never raising: a guest does not break the host over a strange `repr`."""

from __future__ import annotations

from typing import Any

import msgspec

__all__ = ["LIMIT", "error_text", "to_json", "to_text"]

LIMIT = 1 << 20
"""Most characters of one captured value."""

_CUTS = (LIMIT // 16, LIMIT // 128, LIMIT // 1_024)


def to_json(value: object) -> str:
    """Write a value as JSON; foreign objects by their own dump, else as text.

    What is longer than `LIMIT` keeps its shape and loses the tails of its longest texts, so that it is still JSON.
    """
    try:
        text = _ENCODER.encode(value).decode()
        if len(text) > LIMIT:
            text = _shortened(text)
    except Exception as error:
        text = f'"<not encodable: {type(error).__name__}>"'
    return text


def to_text(value: object) -> str:
    """Keep text as it is and write anything else as JSON."""
    if not isinstance(value, str):
        return to_json(value)
    return _cut(_encodable(value), LIMIT)


def error_text(error: BaseException, limit: int = 1_000) -> str:
    """Say what an exception says; its `__str__` is the host's code, and may itself fail."""
    try:
        return _cut(_encodable(str(error)), limit)
    except Exception as other:
        return f"<no text: {type(other).__name__}>"


def _shortened(text: str) -> str:
    value = msgspec.json.decode(text)
    for most in _CUTS:
        shorter = _ENCODER.encode(_shorten(value, most)).decode()
        if len(shorter) <= LIMIT:
            return shorter
    return _ENCODER.encode(_cut(text, LIMIT // 2)).decode()


def _shorten(value: Any, most: int) -> Any:
    if isinstance(value, str):
        return _cut(value, most)
    if isinstance(value, list):
        return [_shorten(item, most) for item in value]
    return {key: _shorten(item, most) for key, item in value.items()} if isinstance(value, dict) else value


def _foreign(value: object) -> object:
    dump = getattr(value, "model_dump", None)
    if callable(dump):
        return dump(mode="json", exclude_none=True)
    if isinstance(value, BaseException):
        return f"{type(value).__name__}: {error_text(value)}"
    fields = getattr(value, "__dict__", None)
    if isinstance(fields, dict) and type(value).__repr__ is object.__repr__:
        return {key: item for key, item in fields.items() if not key.startswith("_")}
    return repr(value)


def _encodable(text: str) -> str:
    """Replace lone surrogates: one of them would cost the whole batch its encoding."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[:most] + f"… [{len(text) - most} more characters]"


_ENCODER = msgspec.json.Encoder(enc_hook=_foreign)
