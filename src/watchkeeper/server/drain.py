"""Reads what is left of a refused request's body before the answer goes out.

A server that answers and closes while the client still sends makes the client's kernel drop the answer: it sees a broken
pipe where we said 413, 401 or 429. So a refusal waits for the rest of the body, a bounded amount for a bounded time.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["MOST", "SECONDS", "DrainMiddleware"]

MOST = 32 << 20
"""Bytes of an unread body that are read and dropped; of a longer one the client may see a broken connection."""

SECONDS = 5.0
"""How long the rest of a body is waited for."""

_REFUSED = 400


class DrainMiddleware:
    """Outermost: whoever refuses, the client gets to read why."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and drain what it left unread if it is refused."""
        if scope["type"] != "http" or not _sends_unasked(scope):
            await self._app(scope, receive, send)
            return
        whole = False

        async def heard() -> Message:
            nonlocal whole
            message = await receive()
            whole = message["type"] != "http.request" or not message.get("more_body", False)
            return message

        async def answered(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= _REFUSED and not whole:
                await _drop(heard)
            await send(message)

        await self._app(scope, heard, answered)


async def _drop(receive: Receive) -> None:
    dropped = 0
    with suppress(TimeoutError):
        async with asyncio.timeout(SECONDS):
            while dropped <= MOST:
                message = await receive()
                if message["type"] != "http.request" or not message.get("more_body", False):
                    return
                dropped += len(message.get("body", b""))


def _sends_unasked(scope: Scope) -> bool:
    """Whether a body comes by itself: not with `Expect: 100-continue`, whose client waits to be asked for it."""
    names = {name for name, _ in scope["headers"]}
    return b"expect" not in names and bool(names & {b"content-length", b"transfer-encoding"})
