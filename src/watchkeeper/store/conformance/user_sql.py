"""SQL of users: bound to the project, limited, or refused by name."""

from __future__ import annotations

from typing import Any

import sqlglot
from sqlglot import exp

from watchkeeper.kit.errors import CapabilityError, QueryRefusedError, QueryTimeoutError
from watchkeeper.store.api import QueryLimits, SpanStore
from watchkeeper.store.columns import SCORE_COLUMNS, SPAN_COLUMNS
from watchkeeper.store.conformance.samples import Maker, score_of, stored, stored_scores
from watchkeeper.store.conformance.support import needs, refused

__all__ = ["UserSql"]

make = Maker()
_LIMITS = QueryLimits()
_DOTTED: dict[str, Any] = {"gen_ai.system": "x"}


def _select(sql: str) -> exp.Query:
    tree = sqlglot.parse_one(sql, read="duckdb")
    assert isinstance(tree, exp.Query)
    return tree


class UserSql:
    """A backend that has no SQL refuses; one that has it keeps these."""

    @needs("no sql")
    def test_refused_without_the_capability(self, store: SpanStore) -> None:
        """A store without SQL raises CapabilityError."""
        with refused(CapabilityError):
            store.query("default", _select("SELECT 1"), _LIMITS)

    @needs("sql")
    def test_documented_columns(self, store: SpanStore) -> None:
        """`SELECT *` shows exactly the documented columns."""
        assert store.query("default", _select("SELECT * FROM spans"), _LIMITS).columns == SPAN_COLUMNS
        assert store.query("default", _select("SELECT * FROM scores"), _LIMITS).columns == SCORE_COLUMNS

    @needs("sql")
    def test_only_the_project(self, store: SpanStore) -> None:
        """Joins, subqueries, WITH, UNION and aliases show the project's rows alone."""
        stored(store, make.span(1, 1, user_id="mine"), Maker("other").span(1, 2, user_id="theirs"))
        stored_scores(store, score_of(1, trace_id=f"{1:032x}"), score_of(2, project="other", trace_id=f"{1:032x}"))
        for sql in (
            "SELECT user_id FROM spans",
            "SELECT s.user_id FROM spans AS s JOIN scores c ON c.trace_id = s.trace_id",
            "WITH x AS (SELECT * FROM spans) SELECT user_id FROM x",
            "SELECT user_id FROM spans UNION SELECT user_id FROM SPANS",
            "SELECT (SELECT max(user_id) FROM spans) AS user_id",
            "SELECT user_id FROM spans WHERE project = 'other' OR project = 'default'",
            "SELECT user_id FROM spans, scores",
        ):
            assert store.query("default", _select(sql), _LIMITS).rows == (("mine",),), sql

    @needs("sql")
    def test_a_project_that_is_a_trick(self, store: SpanStore) -> None:
        """A project's name is a value, never SQL."""
        stored(store, make.span(1, 1))
        assert store.query("x' OR 1=1 --", _select("SELECT * FROM spans"), _LIMITS).rows == ()

    @needs("sql")
    def test_row_limit(self, store: SpanStore) -> None:
        """No more rows than the limit come back, and the answer says that it was cut."""
        stored(store, *(make.span(1, n + 1, at=n) for n in range(10)))
        limits = QueryLimits(rows=4)
        cut = store.query("default", _select("SELECT span_id FROM spans ORDER BY start_time"), limits)
        assert ([int(row[0], 16) for row in cut.rows], cut.truncated) == ([1, 2, 3, 4], True)
        for sql in ("SELECT span_id FROM spans LIMIT 3", "SELECT span_id FROM spans LIMIT 1 + 2"):
            small = store.query("default", _select(sql), limits)
            assert (len(small.rows), small.truncated) == (3, False)
        offset = store.query("default", _select("SELECT span_id FROM spans ORDER BY 1 LIMIT 2 OFFSET 8"), limits)
        assert [int(row[0], 16) for row in offset.rows] == [9, 10]

    @needs("sql")
    def test_time_limit(self, store: SpanStore) -> None:
        """A query past its time is stopped with QueryTimeoutError, and the store goes on."""
        stored(store, *(make.span(1, n + 1) for n in range(200)))
        many = ", ".join(f"spans s{n}" for n in range(6))
        with refused(QueryTimeoutError):
            store.query("default", _select(f"SELECT count(s0.name || s5.name) FROM {many}"), QueryLimits(seconds=0.3))  # noqa: S608 - a constant
        assert store.query("default", _select("SELECT count(*) FROM spans"), _LIMITS).rows == ((200,),)

    @needs("sql")
    def test_mistakes_are_the_users(self, store: SpanStore) -> None:
        """A column that is not there, or a bad cast, is refused as the user's mistake."""
        stored(store, make.span(1, 1))
        for sql in ("SELECT raw_rest FROM spans", "SELECT CAST(name AS INTEGER) FROM spans", "SELECT no_such(1)"):
            with refused(QueryRefusedError):
                store.query("default", _select(sql), _LIMITS)

    @needs("sql")
    def test_values_are_json_able(self, store: SpanStore) -> None:
        """Times are RFC 3339, big sums whole numbers, lists lists, JSON text."""
        stored(
            store, make.span(1, 1, tags=["a"], tokens=5, kind="llm"), make.span(1, 2, at=1, tags=["a"], tokens=2**62)
        )
        table = store.query(
            "default",
            _select(
                "SELECT min(start_time), date_trunc('hour', max(start_time)), sum(input_tokens), any_value(tags), "
                "bool_and(start_time < now() + INTERVAL 100 YEAR), 1.5::DECIMAL(4, 2), 'NaN'::DOUBLE FROM spans"
            ),
            _LIMITS,
        )
        assert table.rows == (
            ("2026-09-21T14:13:20.000000Z", "2026-09-21T14:00:00.000000Z", 2**62 + 5, ["a"], True, 1.5, None),
        )

    @needs("sql")
    def test_attributes_are_json(self, store: SpanStore) -> None:
        """Attributes are JSON: a path reaches any of them."""
        stored(store, make.span(1, 1, **_DOTTED))
        sql = """SELECT attributes ->> '$."gen_ai.system"' FROM spans"""
        assert store.query("default", _select(sql), _LIMITS).rows == (("x",),)
