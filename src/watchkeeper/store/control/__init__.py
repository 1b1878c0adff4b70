"""Control data: projects and keys, in SQLite through SQLAlchemy."""

from __future__ import annotations

__all__: list[str] = []
