"""What the suite needs of a backend and of a test: how to open it, to wait, and to expect a failure."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from watchkeeper.store.api import Page, Refine, SpanStore

__all__ = ["Backend", "eventually", "ids", "needs", "pages", "refused"]

_PATIENCE = 20.0
T = TypeVar("T")


class Backend(Protocol):
    """Opens stores on one place; opening again after closing finds what was stored, if it survives."""

    def open(self, *, refine: Refine = ..., queue_bytes: int = ...) -> SpanStore:
        """Open the store; the suite's fixture closes what is left open."""
        ...


def needs(capability: str) -> Callable[[T], T]:
    """Mark a test as one for backends with that capability (or without it: "no sql").

    The tests' side says by name what each backend has, not the backend: a misreport would hide a failure.
    """

    def mark(test: T) -> T:
        test.needs = capability  # type: ignore[attr-defined]
        return test

    return mark


def eventually(check: Callable[[], bool]) -> bool:
    """Say whether the check comes true: for what the law allows to be late."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if check():
            return True
        time.sleep(0.02)
    return check()


@contextmanager
def refused(kind: type[Exception]) -> Iterator[None]:
    """Expect the block to raise that error; anything else, or nothing, fails the test."""
    try:
        yield
    except kind:
        return
    message = f"{kind.__name__} was not raised"
    raise AssertionError(message)


def ids(page: Page) -> list[str]:
    """Return the span ids (or trace ids, or score ids) on a page."""
    return [getattr(item, "span_id", None) or getattr(item, "trace_id", None) or item.id for item in page.items]


def pages(read: Callable[[str | None], Page]) -> Iterator[tuple[Any, ...]]:
    """Read page after page to the end."""
    cursor: str | None = None
    while True:
        page = read(cursor)
        yield page.items
        cursor = page.next_cursor
        if cursor is None:
            return
