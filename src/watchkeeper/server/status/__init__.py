"""The `status` slice of the API."""

from __future__ import annotations

from watchkeeper.server.status.endpoints import router

__all__ = ["router"]
