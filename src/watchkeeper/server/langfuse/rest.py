"""Every other call of Langfuse's API: 501, and the answer names the call."""

from __future__ import annotations

from typing import NoReturn

from fastapi import APIRouter, Request

from watchkeeper.kit.errors import NotServedError

__all__ = ["router"]

router = APIRouter()


@router.api_route("/{path:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"], response_model=None)
def not_served(request: Request) -> NoReturn:
    """Refuse what is not served, by name, so that nobody takes silence for success."""
    raise NotServedError(f"Watchkeeper does not serve {request.method} {request.url.path}", hint="see docs/langfuse.md")
