"""Traces and spans."""

from __future__ import annotations

from watchkeeper.server.traces.endpoints import router

__all__ = ["router"]
