"""Langfuse's dataset calls, on our store of datasets."""

from __future__ import annotations

from watchkeeper.server.langfuse.datasets.endpoints import router

__all__ = ["router"]
