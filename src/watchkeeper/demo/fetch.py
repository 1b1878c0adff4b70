"""`python -m watchkeeper.demo.fetch`: put the model into the cache, for an install phase that may go online."""

from __future__ import annotations

from watchkeeper.demo.model import ensure_model

__all__ = ["Quiet"]


class Quiet:
    """A voice that says nothing."""

    def step(self, text: str) -> None:
        """Say nothing."""

    def progress(self, text: str, done_bytes: int, total_bytes: int) -> None:
        """Say nothing."""

    def done(self, text: str) -> None:
        """Say nothing."""


if __name__ == "__main__":
    ensure_model(None, Quiet())
