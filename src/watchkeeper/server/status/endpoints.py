"""`/api/v1/status`."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends

from watchkeeper.server.gate import Caller, Gate
from watchkeeper.server.request import caller, services
from watchkeeper.server.status.schemas import StatusOut
from watchkeeper.server.status.service import StatusService

__all__ = ["router"]

router = APIRouter(tags=["status"])


@router.get("/status")
async def status(
    who: Annotated[Caller, Depends(caller)],
    gate: Annotated[Gate, Depends(services(lambda parts: parts.gate))],
    about: Annotated[StatusService, Depends(services(lambda parts: parts.status))],
) -> StatusOut:
    """Return version, addresses and the size of what is stored: the project's, and for the owner the server's."""
    whole = who.is_owner or await gate.is_alone()
    return await asyncio.to_thread(about.status, who.project, whole=whole)
