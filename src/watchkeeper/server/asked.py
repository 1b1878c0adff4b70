"""Questions about many traces at once, in one query each where the store takes any."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sqlglot import exp

from watchkeeper.kit.errors import QueryRefusedError, QueryTimeoutError
from watchkeeper.query import parse_select
from watchkeeper.store.api import QueryLimits, Selector, SpanFilter, SpanStore

__all__ = ["services_of", "traces_of"]

_LIMITS = QueryLimits(rows=1_000_000, seconds=60.0)


def traces_of(store: SpanStore, project: str, selector: Selector, known: Collection[str]) -> set[str]:
    """Return those of the known traces that the selector means: named, or with a span of its users or sessions."""
    named = set(selector.traces) & set(known)
    people = [("user_id", selector.users), ("session_id", selector.sessions)]
    where = [exp.column(column).isin(*names) for column, names in people if names]
    if not known or not where:
        return named
    rows = _rows(store, project, exp.select("trace_id").distinct().from_("spans").where(exp.or_(*where)))
    if rows is not None:
        return named | ({str(trace) for (trace,) in rows} & set(known))
    return named | {
        trace
        for trace in known
        if any(
            store.list_spans(project, one, limit=1).items
            for one in (
                *(SpanFilter(trace_id=trace, user_id=user) for user in selector.users),
                *(SpanFilter(trace_id=trace, session_id=session) for session in selector.sessions),
            )
        )
    }


def services_of(store: SpanStore, project: str, traces: Collection[str]) -> dict[str, set[str]]:
    """Return the services of those of these traces that are stored; without a query, of each trace's newest span."""
    if not traces:
        return {}
    asked = exp.select("trace_id", "service").distinct().from_("spans")
    rows = _rows(store, project, asked.where(exp.column("trace_id").isin(*traces)))
    found: dict[str, set[str]] = {}
    for trace, service in rows if rows is not None else _one_by_one(store, project, traces):
        found.setdefault(str(trace), set()).add(str(service))
    return found


def _one_by_one(store: SpanStore, project: str, traces: Collection[str]) -> Iterator[tuple[str, str]]:
    for trace in traces:
        for row in store.list_spans(project, SpanFilter(trace_id=trace), limit=1).items:
            yield trace, row.service


def _rows(store: SpanStore, project: str, asked: exp.Select) -> tuple[tuple[object, ...], ...] | None:
    """Return what a query finds; None where the store does not take it, or it finds too much or takes too long."""
    if not store.capabilities.sql:
        return None
    try:
        table = store.query(project, parse_select(asked.sql(dialect="duckdb")), _LIMITS)
    except (QueryTimeoutError, QueryRefusedError):
        return None
    return None if table.truncated else table.rows
