"""User SQL: parsed by `query`, run by the store, a few at a time."""

from __future__ import annotations

import threading

from watchkeeper.kit.errors import OverloadedError
from watchkeeper.query import parse_select
from watchkeeper.server.sql.schemas import QueryOut
from watchkeeper.store.api import QueryLimits, SpanStore

__all__ = ["QueryService"]


class QueryService:
    """Runs a user's SELECT within limits on rows, time and concurrency."""

    def __init__(self, store: SpanStore, limits: QueryLimits | None = None, at_once: int = 2) -> None:
        self._store = store
        self._limits = limits or QueryLimits()
        self._slots = threading.BoundedSemaphore(at_once)

    def run(self, project: str, sql: str) -> QueryOut:
        """Run it.

        Raises:
            QueryRefusedError: it is not the one SELECT that is allowed, or the engine refuses it.
            QueryTimeoutError: it ran past the limit.
            OverloadedError: too many queries are running.
        """
        select = parse_select(sql)
        if not self._slots.acquire(timeout=2):
            raise OverloadedError("too many queries are running", retry_after=2)
        try:
            table = self._store.query(project, select, self._limits)
        finally:
            self._slots.release()
        return QueryOut(columns=list(table.columns), rows=[list(row) for row in table.rows], truncated=table.truncated)
