"""Langfuse's media calls, on our own files."""

from __future__ import annotations

from watchkeeper.server.langfuse.media.endpoints import router

__all__ = ["router"]
