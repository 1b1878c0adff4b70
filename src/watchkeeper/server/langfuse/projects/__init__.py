"""Who a key speaks for: what Langfuse's `auth_check` asks, and whether the server is up."""

from __future__ import annotations

from watchkeeper.server.langfuse.projects.endpoints import router

__all__ = ["router"]
