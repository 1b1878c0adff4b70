"""`/api/v1/journal`: what was acknowledged and could not be stored."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from watchkeeper.server.journal.schemas import JournalFilesOut, RetriedOut
from watchkeeper.server.journal.service import JournalService
from watchkeeper.server.request import services

__all__ = ["router"]

router = APIRouter(tags=["journal"])
Journal = Annotated[JournalService, Depends(services(lambda parts: parts.journal))]


@router.get("/journal")
def files(journal: Journal) -> JournalFilesOut:
    """Return what was acknowledged and could not be stored, of all projects (beta)."""
    return journal.list()


@router.post("/journal/{name}")
def retry(journal: Journal, name: str) -> RetriedOut:
    """Store an export that was set aside, as if it came now, and delete its file (beta)."""
    return journal.retry(name)


@router.delete("/journal/{name}", status_code=204)
def drop(journal: Journal, name: str) -> None:
    """Delete something that was set aside, for good (beta)."""
    journal.drop(name)
