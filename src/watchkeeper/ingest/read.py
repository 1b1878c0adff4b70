"""Tolerant readers: a field may come as its own type, as JSON text, as an array, a kvlist or indexed keys."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from watchkeeper.model import Attributes, AttributeValue

__all__ = ["indexed", "integer", "listed", "loads", "number", "numbered", "plain", "strings", "text", "unpacked"]

_TOKENS_MAX = 10**12  # no call has as many, and sums of them fit 64 bits
_SHORTEST = 4  # two words of a name, an index, a field
_LONG = 12  # digits that no index has
_STEPS_MAX = 20_000  # keys are strangers' data; the table that remembers them is emptied when it is full


def text(value: AttributeValue) -> str | None:
    """Return a non-empty text, numbers as text, else None."""
    if value is None or isinstance(value, str):
        return value or None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return str(value)


def integer(value: AttributeValue) -> int | None:
    """Return a count (>= 0) from an int, a whole double or digits, else None."""
    if type(value) is int:
        return value if 0 <= value < _TOKENS_MAX else None
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        value = int(value) if value.isascii() and value.isdigit() and len(value) < _LONG else None
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


def unpacked(value: AttributeValue) -> Any:  # noqa: ANN401 - JSON is any shape
    """Return what a JSON text holds, or a copy of the value that can be written as JSON."""
    # What was JSON needs no copying.
    return loads(value) if isinstance(value, str) else plain(value)


def strings(value: AttributeValue) -> tuple[str, ...]:
    """Return texts from an array, a JSON array's text, or one text."""
    found = loads(value)
    if isinstance(found, list | tuple):
        return tuple(item for item in found if isinstance(item, str))
    return (found,) if isinstance(found, str) and found else ()


def plain(value: object) -> Any:  # noqa: ANN401 - JSON is any shape
    """Copy a value so that it can be written as JSON: bytes and non-finite doubles as text."""
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


class _Steps(dict[str, tuple[str, ...] | None]):
    """The steps of each indexed key, the first two in one; None of a key that has no index. The same keys come again."""

    def __missing__(self, key: str) -> tuple[str, ...] | None:
        steps = key.split(".")
        is_indexed = len(steps) >= _SHORTEST and steps[2].isdigit()
        found = (f"{steps[0]}.{steps[1]}", *steps[2:]) if is_indexed else None
        if len(self) >= _STEPS_MAX:
            self.clear()
        self[key] = found
        return found


_steps = _Steps()


def indexed(attributes: Attributes) -> dict[str, Any]:
    """Fold every indexed key (`some.name.0.a.b`) in one pass: the name to a tree of dicts, for `listed` to walk."""
    roots: dict[str, Any] = {}
    for key, value in attributes.items():
        steps = _steps[key]
        if steps is None:
            continue
        place = roots
        for step in steps[:-1]:
            inner = place.get(step)
            if type(inner) is not dict:
                inner = place[step] = {}
            place = inner
        # A dict is copied, as other keys may go into it and the attributes stay as they are.
        place.setdefault(steps[-1], plain(value) if type(value) is dict else value)
    return roots


def numbered(tree: object) -> list[dict[str, Any]]:
    """Return what stands at each index of a tree, in the order of the indexes; gaps are closed."""
    if not isinstance(tree, dict):
        return []
    if len(tree) == 1:
        order = list(tree)
    else:
        order = sorted((step for step in tree if step.isascii() and step.isdigit() and len(step) < _LONG), key=int)
    return [one for step in order if isinstance(one := tree[step], dict)]


def listed(tree: object, name: str) -> list[dict[str, Any]]:
    """Return what stands under `name` at each index of a tree, in the order of the indexes; gaps are closed."""
    return [inner for one in numbered(tree) if isinstance(inner := one.get(name), dict)]
