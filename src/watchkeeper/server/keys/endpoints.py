"""`/api/v1/keys`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path

from watchkeeper.server.gate import Caller
from watchkeeper.server.keys.schemas import KeyIn, KeyList, KeyMade, RotateIn
from watchkeeper.server.keys.service import KeyService
from watchkeeper.server.request import caller, services

__all__ = ["router"]

router = APIRouter(tags=["keys"])

Who = Annotated[Caller, Depends(caller)]
Keys = Annotated[KeyService, Depends(services(lambda parts: parts.keys))]
PublicId = Annotated[str, Path(max_length=200)]


@router.get("/keys")
def list_keys(who: Who, keys: Keys) -> KeyList:
    """List the project's keys, newest first, without their secrets."""
    return keys.list(who.project)


@router.post("/keys", status_code=201)
def create_key(who: Who, keys: Keys, body: KeyIn) -> KeyMade:
    """Make a key pair. The secret is in this answer and nowhere else."""
    return keys.create(who.project, body, who.name)


@router.post("/keys/{public_id}/rotate", status_code=201)
def rotate_key(who: Who, keys: Keys, public_id: PublicId, body: RotateIn) -> KeyMade:
    """Make a successor with the same name and scopes; the old pair works for the overlap."""
    return keys.rotate(who.project, public_id, body, who.name)


@router.delete("/keys/{public_id}", status_code=204)
def revoke_key(who: Who, keys: Keys, public_id: PublicId) -> None:
    """Revoke a key at once."""
    keys.revoke(who.project, public_id, who.name)
