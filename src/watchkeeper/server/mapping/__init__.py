"""The `mapping` slice of the API."""

from __future__ import annotations

from watchkeeper.server.mapping.endpoints import router

__all__ = ["router"]
