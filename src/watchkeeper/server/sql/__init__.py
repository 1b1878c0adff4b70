"""The `sql` slice of the API."""

from __future__ import annotations

from watchkeeper.server.sql.endpoints import router

__all__ = ["router"]
