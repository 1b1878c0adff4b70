"""The `accounts` slice of the API: signing in and out, one's own sessions and password, links that let people in."""

from __future__ import annotations

from watchkeeper.server.accounts.endpoints import router

__all__ = ["router"]
