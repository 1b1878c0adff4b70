"""Values to attribute text, bounded, and never raising: a guest does not break the host over a strange `repr`."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any

import msgspec

__all__ = ["LIMIT", "Lazy", "clean", "error_text", "snapshot", "to_json", "to_text", "weigh"]

_log = logging.getLogger("watchkeeper")
LIMIT = 1 << 20
"""Most characters of one captured value."""

_WIRE = frozenset({"anthropic", "mistralai", "openai"})
"""Libraries whose models are nothing but what goes over the wire: nothing in them is kept from a dump."""
_CUTS = (LIMIT // 16, LIMIT // 128, LIMIT // 1_024)


class Lazy:
    """Text of an attribute that is written when it is sent, off the caller's thread.

    What may change until then is copied at once: containers are, texts are shared.

    Args:
        value: what to write.
        make: turns the copy into what is written as JSON; where it fails, the copy is written as it is.
    """

    __slots__ = ("_copy", "_make", "size")

    def __init__(self, value: object, make: Callable[[Any], object] | None = None) -> None:
        try:
            self._copy = snapshot(value)
            self.size = weigh(self._copy)
        except Exception as error:  # nested deeper than the host's stack has room for
            self._copy = f"<not encodable: {type(error).__name__}>"
            self.size = len(self._copy)
        self._make = make
        """About how many bytes it holds."""

    def text(self) -> str:
        """Write it."""
        try:
            made = self._copy if self._make is None else self._make(self._copy)
        except Exception:
            _log.debug("a value could not be described; it is written as it is", exc_info=True)
            made = self._copy
        return to_json(made)


def snapshot(value: object) -> Any:
    """Copy a value's containers, so that what the host changes later is not seen; texts are shared, not copied."""
    if isinstance(value, str):
        return value
    try:
        return msgspec.to_builtins(value, builtin_types=(bytes,), enc_hook=_held)
    except Exception as error:
        return f"<not encodable: {type(error).__name__}>"


def weigh(value: object) -> int:
    """Guess the bytes that a snapshot holds: the length of its texts, and a little for everything else."""
    kind = type(value)
    if kind is str or kind is bytes:
        return 50 + len(value)  # type: ignore[arg-type]  # sized, both
    if kind is dict:
        total = 100
        for item in value.values():  # type: ignore[attr-defined]  # a dict
            total += 50 + len(item) if type(item) is str else weigh(item)
        return total
    if kind is list or kind is tuple:
        sizes: list[int] = [weigh(item) for item in value]  # type: ignore[attr-defined]  # a list
        return 50 + sum(sizes)
    return 30


def clean(value: object) -> object:
    """Take an attribute's value as OTel does: texts, numbers and sequences of them; anything else becomes text."""
    if isinstance(value, str):
        return _cut(_encodable(value), LIMIT)
    try:
        return _clean(value)
    except Exception as error:
        return f"<no text: {type(error).__name__}>"


def _clean(value: object) -> object:
    if isinstance(value, str):
        return _cut(_encodable(value), LIMIT)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, bytes):
        return value[:LIMIT]
    if isinstance(value, list | tuple):
        return tuple([_clean(item) for item in value])
    if isinstance(value, dict):
        return {str(key): _clean(item) for key, item in value.items()}
    return _cut(_encodable(str(value)), LIMIT)


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


def _held(value: object) -> object:
    """Open a client library's own object for a copy; its dump is most of what a tracer costs its caller."""
    told = getattr(value, "__dict__", None) if _is_wire(type(value).__module__) else None
    if not isinstance(told, dict):
        return _foreign(value)
    held = {key: item for key, item in told.items() if item is not None}
    more = getattr(value, "__pydantic_extra__", None)
    if more:
        held.update({key: item for key, item in more.items() if item is not None})
    return held


@functools.lru_cache(maxsize=512)
def _is_wire(module: str) -> bool:
    return module.partition(".")[0] in _WIRE


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
