"""Watchkeeper: AI components as first-class services.

>>> import watchkeeper as wk
>>> wk.init(service="support-bot")
>>> client = wk.wrap(OpenAI())

Importing this costs nothing: OpenTelemetry is loaded at the first use of a name below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from watchkeeper.sdk import (
        Stats,
        current_trace_url,
        flush,
        init,
        observe,
        score,
        session,
        shutdown,
        stats,
        wrap,
    )

__all__ = [
    "Stats",
    "current_trace_url",
    "flush",
    "init",
    "observe",
    "score",
    "session",
    "shutdown",
    "stats",
    "wrap",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    if name not in __all__:
        raise AttributeError(f"module 'watchkeeper' has no attribute {name!r}")
    from watchkeeper import sdk

    return getattr(sdk, name)


def __dir__() -> list[str]:
    return sorted(__all__)
