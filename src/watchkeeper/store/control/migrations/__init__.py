"""Alembic's folder: `env.py` and one file a revision in `versions`."""

from __future__ import annotations

__all__: list[str] = []
