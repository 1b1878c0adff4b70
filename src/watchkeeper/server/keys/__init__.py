"""The `keys` slice of the API."""

from __future__ import annotations

from watchkeeper.server.keys.endpoints import router

__all__ = ["router"]
