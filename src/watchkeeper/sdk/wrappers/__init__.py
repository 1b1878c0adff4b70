"""One file a provider's client; the pure half in `<provider>_core.py`."""

from __future__ import annotations

from typing import Any, TypeVar

__all__ = ["wrap"]

C = TypeVar("C")


def wrap(client: C) -> C:
    """Trace every call of a model client and return the same client, of the same type.

    Args:
        client: `openai.OpenAI()` or `openai.AsyncOpenAI()` (or Azure's, which inherit them).

    Raises:
        TypeError: the client is of a kind we do not know.
    """
    names = {f"{base.__module__.partition('.')[0]}.{base.__name__}" for base in type(client).__mro__}
    from watchkeeper.sdk.wrappers.openai import wrap_openai

    traced: Any = client
    if "openai.AsyncOpenAI" in names:
        wrap_openai(traced, is_async=True)
    elif "openai.OpenAI" in names:
        wrap_openai(traced, is_async=False)
    else:
        raise TypeError(f"wrap() takes an OpenAI or AsyncOpenAI client, not {type(client).__qualname__}")
    return client
