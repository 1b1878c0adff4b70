"""`/api/v1/erasures`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from watchkeeper.server.erasure.schemas import ErasureIn, ErasureOut
from watchkeeper.server.erasure.service import ErasureService
from watchkeeper.server.request import project, services

__all__ = ["router"]

router = APIRouter(tags=["erasure"])


@router.post("/erasures")
def erase(
    request: Request,
    project: Annotated[str, Depends(project)],
    erasure: Annotated[ErasureService, Depends(services(lambda parts: parts.erasure))],
    wanted: ErasureIn,
) -> ErasureOut:
    """Erase every trace of a user, a session, or one trace, with its scores; or count them (`dry_run`)."""
    return erasure.erase(project, wanted, who=str(request.scope.get("watchkeeper.key") or "api"))
