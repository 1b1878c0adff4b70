"""The door: what each request brought, whether that is enough, and for which project it speaks.

A request is local when its peer is a loopback address, it came through no proxy that says so, and
its Host is a loopback name: a page elsewhere that rebinds its name to 127.0.0.1 still sends its own
Host, and one that posts across origins still sends its own Origin.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from watchkeeper.kit.errors import (
    BodyTooLargeError,
    ForbiddenError,
    NotFoundError,
    UnauthenticatedError,
    WatchkeeperError,
)
from watchkeeper.server.cookies import session_token
from watchkeeper.server.credentials import secret_of
from watchkeeper.server.errors import LANGFUSE, MEDIA_CONTENT, error_response
from watchkeeper.server.gate import Caller, Credentials, Gate, is_loopback
from watchkeeper.server.permissions import Need, Permissions

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["AccessMiddleware", "Gate", "check", "is_loopback"]

# The last four are set by proxies and CDNs that set none of the others.
_PROXIED = frozenset({
    b"forwarded", b"x-forwarded-for", b"x-real-ip", b"x-forwarded-host", b"x-forwarded-proto", b"via",
    b"cf-connecting-ip", b"true-client-ip",
})  # fmt: skip
_API_BODY = 1 << 20
_LANGFUSE_BODY = 5 << 20  # their clients send up to 3.5 MB at once, and their server takes 4.5
_STREAMED = (f"{LANGFUSE}otel/", MEDIA_CONTENT)
"""Paths whose endpoints read the body themselves, by a limit of their own."""
_BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})


def check(caller: Caller, need: Need) -> None:
    """Let the caller pass, or say what they lack.

    Raises:
        UnauthenticatedError: they proved nothing yet, so they may try.
        ForbiddenError: they are known and may not.
    """
    if need in {"public", "anyone"} and not (caller.anonymous and not caller.is_owner):
        return
    if need in caller.scopes or caller.is_owner:
        return
    if caller.anonymous:
        raise UnauthenticatedError("this server has accounts", hint="sign in, or send 'Authorization: Bearer sk-...'")
    if need == "owner":
        raise ForbiddenError(
            "only who runs the server may do this",
            hint="use its operator key, or the watchkeeper command on its machine",
        )
    raise ForbiddenError(f"this needs the scope {need!r}", hint="ask an admin of the project for a key or role with it")


class AccessMiddleware:
    """Puts `watchkeeper.caller` and `watchkeeper.project` into the scope, or answers 401 or 403.

    Args:
        app: what is behind the door.
        gate: who knows the callers.
        permissions: makes the table once all routes are there.
    """

    def __init__(self, app: ASGIApp, gate: Gate, permissions: Callable[[], Permissions]) -> None:
        self._app = app
        self._gate = gate
        self._make = permissions
        self._permissions: Permissions | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # no websockets here: nothing would check who is speaking
        if self._permissions is None:
            self._permissions = self._make()
        try:
            headers = dict(scope["headers"])
            await self._admit(scope, headers, self._permissions.need(scope["method"], scope["path"]))
            if _is_small(scope["path"]) and scope["method"] not in _BODILESS:
                limit = _LANGFUSE_BODY if scope["path"].startswith(LANGFUSE) else _API_BODY
                receive = await _buffered(receive, _length(headers), limit)
            await self._app(scope, receive, send)
        except WatchkeeperError as error:
            await error_response(error, scope["path"])(scope, receive, send)

    async def _admit(self, scope: Scope, headers: dict[bytes, bytes], need: Need) -> None:
        secret = secret_of(lambda name: _text(headers, name.encode()))
        session = session_token(scope, headers) if secret is None else None
        if secret is None and scope["method"] not in _BODILESS:
            _same_origin(headers, must_say=session is not None)
        if need == "public":
            return
        brought = Credentials(
            local=_is_local(scope, headers), secret=secret, session=session,
            proof=_text(headers, b"x-watchkeeper-proof"), project=_text(headers, b"x-watchkeeper-project"),
        )  # fmt: skip
        if need == "whoever":
            with contextlib.suppress(UnauthenticatedError, ForbiddenError, NotFoundError):
                scope["watchkeeper.caller"] = await self._gate.admit(brought)
            return
        caller = await self._gate.admit(brought)
        check(caller, need)
        scope["watchkeeper.caller"] = caller
        scope["watchkeeper.project"] = caller.project
        scope["watchkeeper.key"] = caller.name


def _is_local(scope: Scope, headers: dict[bytes, bytes]) -> bool:
    peer = scope["client"][0] if scope.get("client") else ""
    host = _name(headers.get(b"host", b"").decode("latin-1"))
    # A proxy left to its defaults speaks HTTP/1.0, names us as Host and says nothing of whom it speaks for.
    direct = scope.get("http_version") != "1.0" and not _proxied(headers)
    return is_loopback(peer) and is_loopback(host) and direct


def _same_origin(headers: dict[bytes, bytes], *, must_say: bool) -> None:
    """Refuse a write that another site's page makes a browser send.

    Raises:
        ForbiddenError: the page is of another origin; or none is named, though the browser's cookie came along.
    """
    origin, fetch = _text(headers, b"origin"), _text(headers, b"sec-fetch-site")
    hint = "send a key, or call from the same origin"
    if fetch is not None and fetch != "same-origin":
        raise ForbiddenError(f"a {fetch} page may not write here", hint=hint)
    if origin is not None and fetch is None:
        there = urlsplit(origin).netloc.lower()
        if there != headers.get(b"host", b"").decode("latin-1").lower():
            raise ForbiddenError(f"a page at {origin[:100]} may not write here", hint=hint)
    if must_say and origin is None and fetch is None:
        raise ForbiddenError("a signed-in write names its origin", hint=hint)


def _is_small(path: str) -> bool:
    return path.startswith("/api/") and not path.startswith(_STREAMED)


async def _buffered(receive: Receive, declared: int, limit: int) -> Receive:
    """Read the whole body, which is small here, so that one over the limit is refused as such and not as bad JSON."""
    too_large = BodyTooLargeError(f"the body is over the limit of {limit} bytes")
    if declared > limit:
        raise too_large
    chunks: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > limit:
            raise too_large
        more = message.get("more_body", False)
    replay: list[Message] = [{"type": "http.request", "body": b"".join(chunks), "more_body": False}]

    async def again() -> Message:
        return replay.pop() if replay else await receive()

    return again


def _length(headers: dict[bytes, bytes]) -> int:
    text = headers.get(b"content-length", b"0")
    return int(text) if text.isdigit() else 0


def _text(headers: dict[bytes, bytes], name: bytes) -> str | None:
    value = headers.get(name)
    return value.decode("latin-1") if value else None


def _proxied(names: Iterable[bytes]) -> bool:
    return any(name in _PROXIED for name in names)


def _name(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.rpartition(":")[0] if host.count(":") == 1 else host
