"""Floor 8: `watchkeeper VERB`, one file a verb: parse, call, print."""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """Run the command line; the entry point of the `watchkeeper` script."""
    from watchkeeper.cli.app import run

    run()
