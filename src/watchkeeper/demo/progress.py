"""How the demo speaks; the command line gives it a voice."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Progress"]


class Progress(Protocol):
    """What is told while it works."""

    def step(self, text: str) -> None:
        """Say what is being done now."""
        ...

    def progress(self, text: str, done_bytes: int, total_bytes: int) -> None:
        """Show how far a transfer has come; a total of 0 is unknown."""
        ...

    def done(self, text: str) -> None:
        """Say what was finished, or found."""
        ...
