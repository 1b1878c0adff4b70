"""A request's body, whole, for endpoints that are plain ASGI."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from watchkeeper.kit.errors import BodyTooLargeError, RequestError

if TYPE_CHECKING:
    from starlette.types import Receive

__all__ = ["read_body"]


async def read_body(headers: dict[bytes, bytes], receive: Receive, max_body: int) -> bytes:
    """Read a body of at most `max_body` bytes.

    Raises:
        BodyTooLargeError: it is larger, or says that it is.
        RequestError: the client went away.
    """
    declared = headers.get(b"content-length", b"")
    too_large = partial(
        BodyTooLargeError, f"the body is over the limit of {max_body} bytes", hint="send smaller batches"
    )
    if declared.isdigit() and int(declared) > max_body:
        raise too_large()
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RequestError("the client went away before the body was whole")
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > max_body:
            raise too_large()
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)
