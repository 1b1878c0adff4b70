"""The revisions, in the order of their names."""

from __future__ import annotations

__all__: list[str] = []
