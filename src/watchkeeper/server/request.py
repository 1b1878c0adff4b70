"""What every endpoint needs from a request: the project, the services, the filters."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from fastapi import Query, Request

from watchkeeper.kit.clock import parse_rfc3339
from watchkeeper.kit.errors import RequestError
from watchkeeper.server.gate import Caller
from watchkeeper.store.api import SpanFilter, TraceFilter

if TYPE_CHECKING:
    from watchkeeper.server.wiring import Services

__all__ = [
    "LIMIT",
    "SpanQuery",
    "TimeText",
    "TraceQuery",
    "caller",
    "maybe_caller",
    "nanoseconds",
    "project",
    "services",
]

T = TypeVar("T")

LIMIT = 500
"""Most rows of a list in one page."""

Text = Annotated[str | None, Query(max_length=500)]
TimeText = Annotated[str | None, Query(max_length=40, description="RFC 3339, e.g. 2026-11-24T10:00:00Z")]


def project(request: Request) -> str:
    """Return the project that the caller's key decides (see `server.access`)."""
    return str(request.scope["watchkeeper.project"])


def caller(request: Request) -> Caller:
    """Return who is speaking (see `server.gate`)."""
    found: Caller = request.scope["watchkeeper.caller"]
    return found


def maybe_caller(request: Request) -> Caller | None:
    """Return who is speaking, None where they proved nothing that is known: for endpoints that answer everyone."""
    found: Caller | None = request.scope.get("watchkeeper.caller")
    return found


def services(pick: Callable[[Services], T]) -> Callable[[Request], T]:
    """Make a dependency that hands one service of the app to an endpoint."""

    def dependency(request: Request) -> T:
        parts: Any = request.app.state.services
        return pick(parts)

    return dependency


def nanoseconds(name: str, text: str | None) -> int | None:
    """Read a time parameter.

    Raises:
        RequestError: it is not RFC 3339.
    """
    if text is None:
        return None
    try:
        value = parse_rfc3339(text)
    except (ValueError, OverflowError) as error:
        raise RequestError(
            f"{name} is not an RFC 3339 time: {text!r}", hint="for example 2026-11-24T10:00:00Z"
        ) from error
    if not 0 <= value < 2**63:
        raise RequestError(f"{name} is out of range: {text!r}")
    return value


class TraceQuery:
    """The filters of a trace list."""

    def __init__(  # noqa: PLR0917 - FastAPI reads query parameters from the signature
        self,
        service: Text = None,
        environment: Text = None,
        model: Text = None,
        status: Literal["ok", "error"] | None = None,
        user: Text = None,
        session: Text = None,
        q: Annotated[str | None, Query(max_length=500, description="text in a span's name, input or output")] = None,
        since: TimeText = None,
        until: TimeText = None,
    ) -> None:
        self._where = TraceFilter(
            service=service, environment=environment, model=model, status=status, user_id=user, session_id=session,
            text=q or None, since=nanoseconds("since", since), until=nanoseconds("until", until),
        )  # fmt: skip

    def filter(self) -> TraceFilter:
        """Return it as the store's filter."""
        return self._where


class SpanQuery:
    """The filters of a span list."""

    def __init__(  # noqa: PLR0913, PLR0917 - FastAPI reads query parameters from the signature
        self,
        trace_id: Annotated[str | None, Query(pattern="^[0-9a-f]{32}$")] = None,
        service: Text = None,
        environment: Text = None,
        kind: Text = None,
        model: Text = None,
        status: Literal["unset", "ok", "error"] | None = None,
        user: Text = None,
        session: Text = None,
        q: Text = None,
        since: TimeText = None,
        until: TimeText = None,
    ) -> None:
        self._where = SpanFilter(
            trace_id=trace_id, service=service, environment=environment, kind=kind, model=model, status=status,
            user_id=user, session_id=session, text=q or None,
            since=nanoseconds("since", since), until=nanoseconds("until", until),
        )  # fmt: skip

    def filter(self) -> SpanFilter:
        """Return it as the store's filter."""
        return self._where
