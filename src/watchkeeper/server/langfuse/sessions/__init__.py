"""Langfuse's session calls, over the traces that are stored."""

from __future__ import annotations

from watchkeeper.server.langfuse.sessions.endpoints import router

__all__ = ["router"]
