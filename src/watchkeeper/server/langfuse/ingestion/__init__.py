"""Langfuse's ingestion batch: scores of SDK 3 and 4, and the traces and observations of SDK 2."""

from __future__ import annotations

from watchkeeper.server.langfuse.ingestion.endpoints import router

__all__ = ["router"]
