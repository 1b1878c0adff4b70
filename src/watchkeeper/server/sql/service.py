"""User SQL: parsed by `query`, run by the store, a few at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from watchkeeper.kit.errors import OverloadedError
from watchkeeper.query import parse_select
from watchkeeper.server.sql.schemas import QueryOut
from watchkeeper.store.api import QueryLimits, SpanStore

__all__ = ["QueryService"]

_PATIENCE = 2.0
"""Seconds a query waits for a free place."""


class QueryService:
    """Runs a user's SELECT within limits on rows, time and concurrency.

    Args:
        store: what is asked.
        limits: rows and seconds a query may take.
        at_once: queries that run.
        waiting: queries that may wait for those. Each holds one of the server's threads, which all of the API
            shares, so the next ones are turned away at once.
    """

    def __init__(self, store: SpanStore, limits: QueryLimits | None = None, at_once: int = 2, waiting: int = 4) -> None:
        self._store = store
        self._limits = limits or QueryLimits()
        self._slots = threading.BoundedSemaphore(at_once)
        self._places = threading.BoundedSemaphore(at_once + waiting)

    def run(self, project: str, sql: str, rows: int | None = None) -> QueryOut:
        """Run it, for so many rows at most where the limit is not less.

        Raises:
            QueryRefusedError: it is not the one SELECT that is allowed, or the engine refuses it.
            QueryTimeoutError: it ran past the limit.
            OverloadedError: too many queries are running.
        """
        limits = self._limits
        if rows is not None and rows < limits.rows:
            limits = QueryLimits(rows=rows, seconds=limits.seconds)
        with _held(self._places, 0), _held(self._slots, _PATIENCE):
            # Parsing takes the interpreter as a query takes the engine: both have their turn only.
            table = self._store.query(project, parse_select(sql), limits)
        return QueryOut(columns=list(table.columns), rows=[list(row) for row in table.rows], truncated=table.truncated)


@contextmanager
def _held(slots: threading.BoundedSemaphore, patience: float) -> Iterator[None]:
    if not slots.acquire(timeout=patience):
        raise OverloadedError("too many queries are running", retry_after=2)
    try:
        yield
    finally:
        slots.release()
