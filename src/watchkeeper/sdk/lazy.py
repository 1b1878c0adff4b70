"""Content for an attribute: written later where our own recorder holds the span, at once where OTel's SDK does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from watchkeeper.sdk.encode import Lazy, to_json, to_text
from watchkeeper.sdk.runtime import current

__all__ = ["content_text", "later"]


def later(value: object, make: Callable[[Any], object] | None = None) -> Any:
    """Return what to set as an attribute, so that it says `make(value)` as JSON, as the value is now."""
    runtime = current()
    if runtime is not None and runtime.records:
        return Lazy(value, make)
    return to_json(value if make is None else make(value))


def content_text(value: object) -> Any:
    """Return what to set for a value: a text as it is, anything else as JSON."""
    return to_text(value) if isinstance(value, str) else later(value)
