"""`/api/public/media`, and the signed addresses under `/media/content/` that the bytes come and go by."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import FileResponse, Response

from watchkeeper.kit.errors import RequestError
from watchkeeper.server.errors import MEDIA_CONTENT
from watchkeeper.server.langfuse.media.schemas import MediaOut, MediumIn, UploadedIn, UploadOut
from watchkeeper.server.media import MediaService
from watchkeeper.server.media.links import Grant
from watchkeeper.server.request import project, services

__all__ = ["router"]

router = APIRouter()

Project = Annotated[str, Depends(project)]
Media = Annotated[MediaService, Depends(services(lambda parts: parts.media))]

# Whatever it holds, a browser saves it and runs nothing of it in our name.
_INERT = {
    "Content-Disposition": "attachment",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@router.post("/media", status_code=201)
def announce(request: Request, project: Project, media: Media, given: MediumIn) -> UploadOut:
    """Say where to put the bytes."""
    medium = given.medium()
    token = media.announce(project, medium, given.use())
    return UploadOut(media_id=medium.id, upload_url=None if token is None else _address(request, token))


@router.put("/media/content/{token}", response_model=None)
async def put_content(request: Request, media: Media, token: str) -> Response:
    """Take the bytes that were announced, and no others."""
    grant = media.granted(token, "put")
    _as_announced(request, grant)
    incoming = await run_in_threadpool(media.begin, grant)
    try:
        async for chunk in request.stream():
            await run_in_threadpool(incoming.write, chunk)
        await run_in_threadpool(media.end, grant, incoming)
    except ClientDisconnect:
        raise RequestError("the client went away before the body was whole") from None
    finally:
        await run_in_threadpool(incoming.close)
    return Response(status_code=200)


@router.get("/media/content/{token}", response_model=None)
def get_content(media: Media, token: str) -> Response:
    """Hand out the bytes, to be saved and not shown."""
    grant = media.granted(token, "get")
    return FileResponse(media.content(grant), media_type=grant.content_type, headers=_INERT)


@router.patch("/media/{media}", response_model=None)
def uploaded(project: Project, service: Media, media: str, given: UploadedIn) -> Response:
    """Hear what the client says of its upload."""
    del given
    service.known(project, media)
    return Response(status_code=204)


@router.get("/media/{media}")
def get_medium(request: Request, project: Project, service: Media, media: str) -> MediaOut:
    """Say what a medium is, and where to fetch it."""
    found = service.find(project, media)
    token, until = service.link(found)
    return MediaOut(
        media_id=found.id, content_type=found.content_type, content_length=found.size,
        uploaded_at=found.uploaded_at, url=_address(request, token), url_expiry=until,  # type: ignore[arg-type]
    )  # fmt: skip


def _address(request: Request, token: str) -> str:
    # By the name that the caller itself used for us: no other place is ever named.
    return str(request.base_url).rstrip("/") + MEDIA_CONTENT + token


def _as_announced(request: Request, grant: Grant) -> None:
    told = request.headers
    length = told.get("content-length")
    if told.get("content-type", "").lower() != grant.content_type:
        raise RequestError("the content type is not the one that was announced")
    if length is not None and length != str(grant.size):
        raise RequestError("the length is not the one that was announced")
