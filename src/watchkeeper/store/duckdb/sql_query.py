"""A user's SELECT: bound to one project, limited in rows and time, on a cursor of its own."""

from __future__ import annotations

import base64
import math
import threading
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import duckdb
import sqlglot
from sqlglot import ErrorLevel, exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import UnsupportedError
from sqlglot.generators.duckdb import DuckDBGenerator

from watchkeeper.kit.errors import QueryComplexError, QueryRefusedError
from watchkeeper.store.api import QueryLimits, Table
from watchkeeper.store.columns import SCORE_COLUMNS, SPAN_COLUMNS
from watchkeeper.store.duckdb import statements
from watchkeeper.store.duckdb.engine import refused, translated
from watchkeeper.store.duckdb.reader import Reader

__all__ = ["bind", "json_able", "run_query"]

_DIALECT = "duckdb"
_TABLES = {"spans": SPAN_COLUMNS, "scores": SCORE_COLUMNS}
_COMPARISONS = (exp.GT, exp.GTE, exp.LT, exp.LTE, exp.EQ, exp.NEQ, exp.Between)
_MAX_WRITTEN = 60_000
"""Nodes. Some functions are written with their argument twice: nested, that doubles at each level."""


class _Writer(DuckDBGenerator):
    """Writes DuckDB's SQL, and gives up on a query that becomes too long."""

    written = 0

    def sql(self, expression: str | exp.Expr | None, key: str | None = None, comment: bool = True) -> str:  # noqa: FBT001, FBT002 - its base's
        self.written += 1
        if self.written > _MAX_WRITTEN:
            raise QueryComplexError("the query becomes too long when written out", hint="nest fewer functions")
        return super().sql(expression, key, comment)


def bind(select: exp.Query, project: str, rows: int) -> str:
    """Render the SELECT with `spans` and `scores` narrowed to the project, and at most `rows` rows."""
    tree = select.copy()
    for table in list(tree.find_all(exp.Table)):
        columns = _TABLES.get(table.name.lower())
        if columns is not None and not table.db:
            _narrow(table, columns, project)
    _plain_now(tree)
    limit = tree.args.get("limit")
    wanted = limit.expression if isinstance(limit, exp.Limit) else None
    if limit is not None and not (isinstance(wanted, exp.Literal) and wanted.is_int):
        tree = exp.select("*").from_(tree.subquery("answer"))
    elif wanted is not None:
        rows = min(rows, int(wanted.this))
    try:
        return _Writer(dialect=DuckDB(), unsupported_level=ErrorLevel.RAISE).generate(
            tree.limit(rows, copy=False), copy=False
        )
    except UnsupportedError as error:
        raise QueryRefusedError(f"the SQL cannot be run: {error}"[:300]) from None
    except RecursionError:
        raise QueryComplexError("the query is nested too deeply") from None


def _narrow(table: exp.Table, columns: tuple[str, ...], project: str) -> None:
    own = exp.table_(table.name.lower(), db="main")  # qualified: a WITH of the user cannot stand in for it
    fields = [
        sqlglot.parse_one(f"{statements.USER_EXPRESSIONS[name]} AS {name}", read=_DIALECT)
        if name in statements.USER_EXPRESSIONS
        else exp.column(name)
        for name in columns
    ]
    inner = exp.select(*fields).from_(own).where(exp.column("project").eq(exp.Literal.string(project)))
    alias = table.args.get("alias") or exp.TableAlias(this=exp.to_identifier(table.name))
    subquery = exp.Subquery(this=inner, alias=alias.copy())
    for name in ("joins", "laterals", "pivots", "sample"):
        if table.args.get(name):
            subquery.set(name, table.args[name])
    table.replace(subquery)


def _plain_now(tree: exp.Query) -> None:
    """Make `now()` in a comparison, alone or moved by an interval or truncated, a TIMESTAMP as the columns are.

    It is TIMESTAMPTZ, and beside it every row's time is cast through ICU and no row group is skipped: 85 ms of CPU
    a million rows where 2 do. The clock is UTC and locked, so the instant is the same.
    """
    for node in list(tree.find_all(exp.Anonymous, exp.CurrentTimestamp)):
        if isinstance(node, exp.Anonymous) and (node.name.lower() != "now" or node.expressions):
            continue
        below: exp.Expr = node
        above = node.parent
        while above is not None and _keeps_instant(above, below):
            below, above = above, above.parent
        if isinstance(above, _COMPARISONS):
            node.replace(exp.cast(node.copy(), exp.DataType.Type.TIMESTAMP, dialect=_DIALECT))


def _keeps_instant(above: exp.Expr, below: exp.Expr) -> bool:
    """Say whether `above` makes of the time `below` the same instant, with a time zone or without, in UTC."""
    if isinstance(above, exp.Add | exp.Sub):
        return isinstance(above.expression if above.this is below else above.this, exp.Interval)
    return isinstance(above, exp.Paren | exp.TimestampTrunc | exp.DateTrunc)


def run_query(reader: Reader, project: str, select: exp.Query, limits: QueryLimits) -> Table:
    """Run it; see `SpanStore.query`."""
    sql = bind(select, project, limits.rows + 1)
    return reader.steady(lambda: _run(reader, sql, limits))


def _run(reader: Reader, sql: str, limits: QueryLimits) -> Table:
    cursor = reader.new_cursor()
    timer = threading.Timer(limits.seconds, cursor.interrupt)
    timer.start()
    try:
        with translated():
            try:
                found = cursor.execute(sql).fetchall()
            except duckdb.Error as error:
                refusal = refused(error)
                if refusal is not None:
                    raise refusal from error
                raise
            columns = tuple(one[0] for one in cursor.description or ())
    finally:
        timer.cancel()
        reader.drop(cursor)
    rows = tuple(tuple(json_able(value) for value in row) for row in found[: limits.rows])
    return Table(columns=columns, rows=rows, truncated=len(found) > limits.rows)


def json_able(value: Any) -> Any:  # noqa: ANN401, PLR0911 - one return a type reads best
    """Turn what DuckDB returns into what JSON holds: times as RFC 3339, decimals as numbers, bytes as base64."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {str(key): json_able(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_able(item) for item in value]
    return str(value) if isinstance(value, UUID) else repr(value)
