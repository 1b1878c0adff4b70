"""The `scores` slice of the API."""

from __future__ import annotations

from watchkeeper.server.scores.endpoints import router

__all__ = ["router"]
