"""`/api/v1/status`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from watchkeeper.server.request import services
from watchkeeper.server.status.schemas import StatusOut
from watchkeeper.server.status.service import StatusService

__all__ = ["router"]

router = APIRouter(tags=["status"])


@router.get("/status")
def status(about: Annotated[StatusService, Depends(services(lambda parts: parts.status))]) -> StatusOut:
    """Return version, addresses and the size of what is stored."""
    return about.status()
