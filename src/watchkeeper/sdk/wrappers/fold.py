"""How a stream's chunks become one answer, within a bound: what is kept of a text never outgrows `LIMIT` characters."""

from __future__ import annotations

from typing import Any, Protocol

from watchkeeper.sdk.encode import LIMIT

__all__ = ["Fold", "SpanFields", "Text"]

SpanFields = dict[str, Any]


class Fold(Protocol):
    """Takes a stream's chunks one by one."""

    def add(self, chunk: Any) -> bool:
        """Take one chunk; True when it holds some of the answer's text or calls."""
        ...

    def fields(self, *, content: bool) -> SpanFields:
        """Describe what came."""
        ...


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
