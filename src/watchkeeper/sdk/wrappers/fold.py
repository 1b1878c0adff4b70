"""What the readers of all clients share: fields of any object, content as text, and streams folded within a bound."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from watchkeeper.sdk.encode import LIMIT
from watchkeeper.sdk.lazy import later

__all__ = ["Fold", "SpanFields", "Text", "field", "written"]

SpanFields = dict[str, Any]


class Fold(Protocol):
    """Takes a stream's chunks one by one."""

    def add(self, chunk: Any) -> bool:
        """Take one chunk; True when it holds some of the answer's text or calls."""
        ...

    def fields(self, *, content: bool) -> SpanFields:
        """Describe what came."""
        ...


def written(value: Any, make: Callable[[Any], Any]) -> Any:
    """Write content as an attribute: `make` turns what the client was given, or gave, into the convention's shape.

    Where it can, it does so after the call, from a copy: the caller does not wait for it.
    """
    return later(value, make)


def field(thing: Any, name: str) -> Any:
    """Read a field of a dict or of a client's object; None where it has none."""
    return thing.get(name) if isinstance(thing, dict) else getattr(thing, name, None)


class Text:
    """A text that grows by pieces; beyond `LIMIT` characters they are counted, not kept."""

    __slots__ = ("_kept", "_length", "_pieces")

    def __init__(self, first: str = "") -> None:
        self._pieces: list[str] = [first] if first else []
        self._kept = self._length = len(first)

    def add(self, piece: str) -> None:
        """Take the next piece."""
        size = len(piece)
        self._length += size
        if self._kept < LIMIT:
            self._pieces.append(piece if self._kept + size <= LIMIT else piece[: LIMIT - self._kept])
            self._kept = min(LIMIT, self._kept + size)

    def __bool__(self) -> bool:
        return self._length > 0

    def __str__(self) -> str:
        text = "".join(self._pieces)
        left = self._length - self._kept
        return f"{text}… [{left} more characters]" if left else text
