"""Langfuse's scores, in the shapes of all three SDK generations."""

from __future__ import annotations

from watchkeeper.server.langfuse.scores.endpoints import router

__all__ = ["router"]
