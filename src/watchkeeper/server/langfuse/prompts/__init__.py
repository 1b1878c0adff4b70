"""Langfuse's prompt calls, on our store of prompts."""

from __future__ import annotations

from watchkeeper.server.langfuse.prompts.endpoints import router

__all__ = ["router"]
