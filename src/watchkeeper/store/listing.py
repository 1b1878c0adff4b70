"""What there is in a project: values to filter by, and sessions."""

from __future__ import annotations

import msgspec

__all__ = ["Facets", "SessionFilter", "SessionRow"]


class Facets(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to filter by in a window, sorted, at most 200 of each."""

    services: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    users: tuple[str, ...] = ()


class SessionFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which sessions: those that began in [since, until) ns.

    `environments` are those asked for, None among them for sessions that name none; empty asks for all.
    """

    since: int | None = None
    until: int | None = None
    environments: tuple[str | None, ...] = ()


class SessionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A session in a list. `start` is its earliest span's, ns; `environment` that of its earliest span which names one."""

    session_id: str
    start: int
    environment: str | None
