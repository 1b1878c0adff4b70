"""The version that is running."""

from __future__ import annotations

from importlib.metadata import version as installed

__all__ = ["version"]


def version() -> str:
    """Return the installed version of the package."""
    return installed("watchkeeper")
