"""A typed table of named things: the one way to plug something in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

__all__ = ["Registry"]


T = TypeVar("T")


class Registry(Generic[T]):
    """Names to things, in the order they were added; a name is taken once."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._things: dict[str, T] = {}

    def add(self, name: str, thing: T) -> T:
        """Add a thing under a new name and return it.

        Raises:
            ValueError: the name is taken.
        """
        if name in self._things:
            message = f"{self._what} {name!r} is registered twice"
            raise ValueError(message)
        self._things[name] = thing
        return thing

    def get(self, name: str) -> T:
        """Return the thing of that name.

        Raises:
            KeyError: there is none; the message lists what there is.
        """
        try:
            return self._things[name]
        except KeyError:
            message = f"no {self._what} {name!r}; known: {', '.join(sorted(self._things))}"
            raise KeyError(message) from None

    def __iter__(self) -> Iterator[T]:
        """Go through the things in the order they were added."""
        return iter(self._things.values())

    def __len__(self) -> int:
        """Count the things."""
        return len(self._things)
