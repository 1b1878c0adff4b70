"""The terminal: consoles that respect NO_COLOR and pipes."""

from __future__ import annotations

from rich.console import Console

_PIPE_WIDTH = 4_000

__all__ = ["stderr", "stdout"]


def stdout() -> Console:
    """Return a console for answers."""
    console = Console(highlight=False, soft_wrap=True)
    # In a pipe there is no width to fit: a table is as wide as its cells.
    return console if console.is_terminal else Console(highlight=False, soft_wrap=True, width=_PIPE_WIDTH)


def stderr() -> Console:
    """Return a console for progress and errors, so that answers can be piped."""
    return Console(stderr=True, highlight=False, soft_wrap=True)
