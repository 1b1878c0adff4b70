"""The `projects` slice of the API."""

from __future__ import annotations

from watchkeeper.server.projects.endpoints import router

__all__ = ["router"]
