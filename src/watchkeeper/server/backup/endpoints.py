"""`/api/v1/backups`: begin one, ask how far it is, fetch it, give its space back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response, StreamingResponse

from watchkeeper.server.backup.schemas import BackupOut
from watchkeeper.server.backup.service import BackupService
from watchkeeper.server.request import services

__all__ = ["router"]

ZIP = "application/zip"


router = APIRouter(tags=["backups"])
Backups = Annotated[BackupService, Depends(services(lambda parts: parts.backups))]


@router.post("/backups", status_code=202)
def begin(backups: Backups) -> BackupOut:
    """Begin a backup of everything stored; ask for its state until it is `ready`."""
    return backups.start()


@router.get("/backups/{backup}")
def state(backups: Backups, backup: str) -> BackupOut:
    """Return how far a backup is."""
    return backups.look(backup)


@router.get("/backups/{backup}/archive", response_class=Response, responses={200: {"content": {ZIP: {}}}})
def archive(backups: Backups, backup: str) -> Response:
    """Return a backup that is `ready`, as a zip file; one that was cut short cannot be restored."""
    name = {"Content-Disposition": f'attachment; filename="watchkeeper-{backup}.zip"'}
    return StreamingResponse(backups.archive(backup), media_type=ZIP, headers=name)


@router.delete("/backups/{backup}", status_code=204)
def drop(backups: Backups, backup: str) -> None:
    """Delete a backup's copy on the server."""
    backups.drop(backup)
