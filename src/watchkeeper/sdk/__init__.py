"""Floor 4: a guest in someone else's process. Light, and it never raises into the host."""

from __future__ import annotations

from watchkeeper.sdk.context import session
from watchkeeper.sdk.observe import observe
from watchkeeper.sdk.runtime import init, shutdown
from watchkeeper.sdk.score import Stats, current_trace_url, flush, score, stats
from watchkeeper.sdk.wrappers import wrap

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
