"""The `prices` slice of the API."""

from __future__ import annotations

from watchkeeper.server.prices.endpoints import router

__all__ = ["router"]
