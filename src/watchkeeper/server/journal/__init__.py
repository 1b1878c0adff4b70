"""The `journal` slice of the API."""

from __future__ import annotations

from watchkeeper.server.journal.endpoints import router

__all__ = ["router"]
