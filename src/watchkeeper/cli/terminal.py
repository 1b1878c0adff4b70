"""The terminal: consoles that respect NO_COLOR and pipes."""

from __future__ import annotations

from rich.console import Console

__all__ = ["stderr", "stdout"]


def stdout() -> Console:
    """Return a console for answers."""
    return Console(highlight=False, soft_wrap=True)


def stderr() -> Console:
    """Return a console for progress and errors, so that answers can be piped."""
    return Console(stderr=True, highlight=False, soft_wrap=True)
