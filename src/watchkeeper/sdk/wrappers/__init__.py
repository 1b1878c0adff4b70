"""One file a provider's client, its pure half in `<provider>_core.py`; `driver` makes the calls."""

from __future__ import annotations

from typing import Any, TypeVar

__all__ = ["wrap"]

C = TypeVar("C")


def wrap(client: C) -> C:
    """Trace every call of a model client and return the same client, of the same type.

    Args:
        client: `openai.OpenAI`, `anthropic.Anthropic`, `mistralai.Mistral`, their async and cloud variants, or an heir.

    Raises:
        TypeError: the client is of a kind we do not know.
    """
    names = {f"{base.__module__.partition('.')[0]}.{base.__name__}" for base in type(client).__mro__}
    traced: Any = client
    if names & {"openai.OpenAI", "openai.AsyncOpenAI"}:
        from watchkeeper.sdk.wrappers.openai import wrap_openai

        wrap_openai(traced, is_async="openai.AsyncOpenAI" in names)
    elif names & {"mistralai.Mistral", "mistralai.MistralAzure", "mistralai.MistralGCP"}:
        from watchkeeper.sdk.wrappers.mistral import wrap_mistral

        wrap_mistral(traced)
    elif any(name.startswith(("anthropic.Anthropic", "anthropic.AsyncAnthropic")) for name in names):
        from watchkeeper.sdk.wrappers.anthropic import wrap_anthropic

        wrap_anthropic(traced, is_async=any(name.startswith("anthropic.Async") for name in names))
    else:
        raise TypeError(
            f"wrap() takes an OpenAI, Anthropic or Mistral client, sync or async, not {type(client).__qualname__}; "
            "trace other calls with @observe(kind='llm')"
        )
    return client
