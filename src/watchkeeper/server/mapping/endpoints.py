"""`/api/v1/mapping/...`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from watchkeeper.server.mapping.schemas import RemapIn, RemapOut
from watchkeeper.server.mapping.service import MappingService
from watchkeeper.server.request import project, services

__all__ = ["router"]

router = APIRouter(tags=["mapping"])

Project = Annotated[str, Depends(project)]
Mapping = Annotated[MappingService, Depends(services(lambda parts: parts.mapping))]


@router.post("/mapping/backfill")
def remap(project: Project, mapping: Mapping, wanted: RemapIn) -> RemapOut:
    """Map stored spans anew from what is stored raw of them, a bounded number at a time (beta)."""
    return mapping.backfill(project, wanted)
