"""The `erasures` slice of the API."""

from __future__ import annotations

from watchkeeper.server.erasure.endpoints import router

__all__ = ["router"]
