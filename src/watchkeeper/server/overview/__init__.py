"""The `overview` slice of the API."""

from __future__ import annotations

from watchkeeper.server.overview.endpoints import router

__all__ = ["router"]
