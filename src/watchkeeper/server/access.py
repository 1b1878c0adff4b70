"""Who may speak, and for which project. Nothing from beyond loopback gets in without a key.

A request is local when its peer is a loopback address, it came through no proxy that says so, and
its Host is a loopback name: a page elsewhere that rebinds its name to 127.0.0.1 still sends its own
Host, and one that posts across origins still sends its own Origin.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from watchkeeper.kit.errors import BodyTooLargeError, ForbiddenError, UnauthenticatedError, WatchkeeperError
from watchkeeper.server.errors import error_response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["AccessMiddleware", "Gate", "secret_of"]

_OPEN = frozenset({"/healthz", "/readyz"})
_PROXIED = frozenset({b"forwarded", b"x-forwarded-for", b"x-real-ip"})
_API_BODY = 1 << 20
_BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})

KeyLookup = Callable[[str], str | None]
"""A secret to its project, or None where it is not known, revoked or lacks the scope."""


def secret_of(authorization: str | None, api_key: str | None) -> str | None:
    """Find the secret: Bearer, Basic (pk:sk), raw Authorization, or x-api-key."""
    if authorization:
        scheme, _, rest = authorization.strip().partition(" ")
        if scheme.lower() == "bearer":
            return rest.strip() or None
        if scheme.lower() == "basic":
            try:
                return base64.b64decode(rest, validate=True).decode().partition(":")[2] or None
            except (binascii.Error, ValueError):
                return None
        return authorization.strip() or None
    return api_key or None


def is_loopback(host: str) -> bool:
    """Say whether an address or name stands for this machine only."""
    bare = host.strip("[]").partition("%")[0].lower()
    if bare == "localhost":
        return True
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return address.is_loopback or (mapped is not None and mapped.is_loopback)


class Gate:
    """Decides the project of a caller, or refuses."""

    def __init__(self, secret_key: str | None, lookup: KeyLookup) -> None:
        self._secret_key = secret_key
        self._lookup = lookup

    def project(self, *, local: bool, secret: str | None) -> str:
        """Return the project the caller speaks for.

        Raises:
            UnauthenticatedError: no key from beyond loopback, or a key nobody knows.
        """
        if secret is not None:
            if self._secret_key is not None and hmac.compare_digest(secret.encode(), self._secret_key.encode()):
                return "default"
            found = self._lookup(secret)
            if found is not None:
                return found
            if secret.startswith("sk-"):
                raise UnauthenticatedError("the key is not known, or was revoked")
        if not local:
            raise UnauthenticatedError(
                "a key is needed from beyond loopback" if secret is None else "the key is not known, or was revoked",
                hint="send it as 'Authorization: Bearer sk-...'",
            )
        # A loopback caller is the machine's own user; foreign SDKs insist on sending some placeholder for a key.
        return "default"


class AccessMiddleware:
    """Puts `watchkeeper.project` into the scope, or answers 401 or 403."""

    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        self._app = app
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or scope["path"] in _OPEN:
            await self._app(scope, receive, send)
            return
        try:
            headers = dict(scope["headers"])
            self._admit(scope, headers)
            if scope["path"].startswith("/api/") and scope["method"] not in _BODILESS:
                receive = await _buffered(receive, _length(headers))
            await self._app(scope, receive, send)
        except WatchkeeperError as error:
            await error_response(error)(scope, receive, send)

    def _admit(self, scope: Scope, headers: dict[bytes, bytes]) -> None:
        host = _name(headers.get(b"host", b"").decode("latin-1"))
        peer = scope["client"][0] if scope.get("client") else ""
        local = is_loopback(peer) and is_loopback(host) and not _proxied(headers)
        secret = secret_of(_text(headers, b"authorization"), _text(headers, b"x-api-key") or _text(headers, b"api_key"))
        scope["watchkeeper.project"] = self._gate.project(local=local, secret=secret)
        origin = _text(headers, b"origin")
        if origin and scope["method"] not in _BODILESS and secret is None:
            there = urlsplit(origin).netloc.lower()
            if there != headers.get(b"host", b"").decode("latin-1").lower():
                raise ForbiddenError(
                    f"a page at {origin[:100]} may not write here", hint="send a key, or call from the same origin"
                )


async def _buffered(receive: Receive, declared: int) -> Receive:
    """Read the whole body, which is small here, so that one over the limit is refused as such and not as bad JSON."""
    too_large = BodyTooLargeError(f"the body is over the limit of {_API_BODY} bytes")
    if declared > _API_BODY:
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
        if size > _API_BODY:
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
