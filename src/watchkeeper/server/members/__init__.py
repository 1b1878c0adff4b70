"""The `members` slice of the API: the people of a project, and those who were invited."""

from __future__ import annotations

from watchkeeper.server.members.endpoints import router

__all__ = ["router"]
