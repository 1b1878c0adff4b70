"""The session cookie: HttpOnly, SameSite=Strict, Secure under HTTPS, one for each port of a host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from watchkeeper.store.control.sessions import ABSOLUTE

if TYPE_CHECKING:
    from starlette.types import Scope

__all__ = ["ended", "session_token", "started"]


def session_token(scope: Scope, headers: dict[bytes, bytes]) -> str | None:
    """Return the token that the browser sent for this host and port, None without one."""
    name = _name(scope, headers)
    for part in headers.get(b"cookie", b"").decode("latin-1").split(";"):
        key, _, value = part.strip().partition("=")
        if key == name and value:
            return value
    return None


def started(scope: Scope, token: str) -> str:
    """Return the Set-Cookie header that begins a session."""
    return _cookie(scope, token, int(ABSOLUTE.total_seconds()))


def ended(scope: Scope) -> str:
    """Return the Set-Cookie header that ends one."""
    return _cookie(scope, "", 0)


def _cookie(scope: Scope, value: str, seconds: int) -> str:
    # Strict is enough: the page itself needs no cookie, and what it asks for then is same-site.
    secure = "; Secure" if scope["scheme"] == "https" else ""
    return (
        f"{_name(scope, dict(scope['headers']))}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"
    )


def _name(scope: Scope, headers: dict[bytes, bytes]) -> str:
    # Browsers share cookies between ports: without the port, two servers on one machine would sign each other out.
    host = headers.get(b"host", b"").decode("latin-1")
    port = host.rpartition(":")[2]
    name = f"watchkeeper-{port}" if port.isdigit() else "watchkeeper"
    return f"__Host-{name}" if scope["scheme"] == "https" else name
