"""Filters, orders and limits, added to the fixed statements as a tree and never as text.

Values travel as named parameters; a filter only decides which conditions are there.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import msgspec
import sqlglot
from sqlglot import exp

from watchkeeper.store.api import SpanFilter, TraceFilter

__all__ = ["Query", "escape_like", "span_conditions", "text_condition", "trace_conditions"]

_DIALECT = "duckdb"
_SPAN_EQUALS = ("trace_id", "service", "environment", "kind", "model", "status", "user_id", "session_id")
_TRACE_EQUALS = ("service", "environment", "model", "user_id", "session_id")
_TEXT_PATHS = (
    "$.messages[*].parts[*].text", "$.messages[*].parts[*].name", "$.messages[*].parts[*].arguments",
    "$.messages[*].parts[*].result", "$.documents[*].content", "$.documents[*].id",
)  # fmt: skip


_PUNCTUATION = re.compile(r"[!-/:-@\[-^`{-~]")


class Query:
    """A statement being built, with its parameters."""

    def __init__(self, statement: str, **parameters: Any) -> None:  # noqa: ANN401 - whatever a column holds
        self._tree: exp.Select = _parsed(statement).copy()
        self.parameters: dict[str, Any] = dict(parameters)

    def where(self, condition: str, **parameters: Any) -> Query:  # noqa: ANN401 - whatever a column holds
        """Add a condition to the WHERE."""
        self._tree = self._tree.where(condition, dialect=_DIALECT, copy=False)
        self.parameters.update(parameters)
        return self

    def having(self, condition: str, **parameters: Any) -> Query:  # noqa: ANN401 - whatever a column holds
        """Add a condition to the HAVING."""
        self._tree = self._tree.having(condition, dialect=_DIALECT, copy=False)
        self.parameters.update(parameters)
        return self

    def order(self, *columns: str) -> Query:
        """Set the order."""
        self._tree = self._tree.order_by(*columns, dialect=_DIALECT, copy=False)
        return self

    def limit(self, rows: int, offset: int = 0) -> Query:
        """Set the limit, and from which row on."""
        self._tree = self._tree.limit(rows, copy=False)
        if offset:
            self._tree = self._tree.offset(offset, copy=False)
        return self

    def sql(self) -> str:
        """Render it."""
        return self._tree.sql(_DIALECT)


@cache
def _parsed(statement: str) -> exp.Select:
    """Parse a fixed statement, once: there are about a dozen, and parsing takes longer than running them."""
    tree = sqlglot.parse_one(statement, read=_DIALECT)
    if not isinstance(tree, exp.Select):
        message = f"not a SELECT: {statement}"
        raise TypeError(message)
    return tree


def span_conditions(query: Query, project: str, where: SpanFilter) -> Query:
    """Add what a span filter asks for."""
    query.where("project = $project", project=project)
    for name in _SPAN_EQUALS:
        value = getattr(where, name)
        if value is not None:
            query.where(f"{name} = ${name}", **{name: value})
    if where.since is not None:
        query.where("start_ns >= $since", since=where.since)
    if where.until is not None:
        query.where("start_ns < $until", until=where.until)
    if where.mapper_before is not None:
        query.where("mapper < $mapper_before", mapper_before=where.mapper_before)
    if where.text:
        query.where(text_condition(), **_text_parameters(where.text))
    return query


def trace_conditions(query: Query, where: TraceFilter) -> Query:
    """Add what a trace filter asks for of the trace's spans, to a query grouped by trace."""
    for name in _TRACE_EQUALS:
        value = getattr(where, name)
        if value is not None:
            query.having(f"bool_or({name} = ${name})", **{name: value})
    if where.status is not None:
        query.having("(entry_status = 'error') = $failed", failed=where.status == "error")
    if where.text:
        query.having(f"bool_or({text_condition()})", **_text_parameters(where.text))
    return query


def text_condition() -> str:
    """Return the condition that a span's name, input or output holds the text.

    Input and output are stored as JSON: the cheap match on the JSON text comes first, and only what
    passes is taken apart, so that the JSON's own keys are not found.
    """
    return "name ILIKE $text ESCAPE '\\' OR " + " OR ".join(
        # CASE, for AND in a SELECT would take every row's JSON apart; RE2, for it is twice as fast as ILIKE.
        f"CASE WHEN regexp_matches({column}, $text_json, 'i') THEN {_inside(column)} ELSE FALSE END"
        for column in ("input", "output")
    )


def _inside(column: str) -> str:
    lists = " OR ".join(
        f"len(list_filter(json_extract_string({column}, '{path}'), x -> x ILIKE $text ESCAPE '\\')) > 0"
        for path in _TEXT_PATHS
    )
    return f"json_extract_string({column}, '$.text') ILIKE $text ESCAPE '\\' OR {lists}"


def escape_like(text: str) -> str:
    """Return a LIKE pattern that finds the text anywhere, its own wildcards taken literally."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def _text_parameters(text: str) -> dict[str, str]:
    as_json = msgspec.json.encode(text).decode()[1:-1]
    return {"text": escape_like(text), "text_json": _PUNCTUATION.sub(r"\\\g<0>", as_json)}
