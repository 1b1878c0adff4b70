"""The SQL allow-list."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from watchkeeper.kit.errors import QueryComplexError, QueryRefusedError
from watchkeeper.query import MAX_SQL, parse_select

HOSTILE = {
    "insert": "insert into spans values (1)",
    "update": "update spans set name = 'x'",
    "delete": "delete from spans",
    "drop": "drop table spans",
    "create": "create table x as select * from spans",
    "attach": "attach ':memory:' as other",
    "attach in CTE": "with a as (attach ':memory:' as x) select 1",
    "copy": "copy spans to '/tmp/x.csv'",
    "export": "export database '/tmp/x'",
    "pragma": "pragma database_list",
    "set": "set memory_limit = '100GB'",
    "checkpoint": "checkpoint",
    "install": "install httpfs",
    "load": "load httpfs",
    "call": "call duckdb_settings()",
    "explain": "explain analyze select 1",
    "two statements": "select 1; select 2",
    "statement after comment": "select 1 /* */; drop table spans",
    "file": "select * from '/etc/passwd'",
    "read_csv": "select * from read_csv('/etc/passwd')",
    "read_text": "select * from read_text('/etc/*')",
    "glob": "select * from glob('/*')",
    "settings": "select * from duckdb_settings()",
    "secrets": "select * from duckdb_secrets()",
    "catalog": "select * from information_schema.tables",
    "master": "select * from sqlite_master",
    "pg catalog": "select * from pg_catalog.pg_class",
    "schema-qualified": "select * from main.spans",
    "getenv": "select getenv('HOME')",
    "current_setting": "select current_setting('temp_directory')",
    "range bomb": "select * from range(1000000000000)",
    "range in select": "select unnest(range(1000000000000))",
    "generate_series": "select * from generate_series(1, 1000000000000)",
    "repeat bomb": "select repeat('x', 1000000000)",
    "query()": "select * from query('drop table spans')",
    "query_table": "select * from query_table('spans_raw')",
    "recursion": "with recursive r as (select 1 as n union all select n + 1 from r) select * from r",
    "shadowing": "with spans as (select 1) select * from spans",
    "forward reference": "with a as (select * from b), b as (select 1) select * from a",
    "nested WITH leaking out": "select * from (with t as (select 1) select * from t) q, t",
    "unknown table": "select * from users",
    "columns()": "select columns('.*') from spans",
    "sample": "select * from spans using sample 10",
    "into": "select 1 into x from spans",
    "empty": "   ",
    "not SQL": "hello there",
    "unclosed": "select (((",
}


@pytest.mark.parametrize("sql", HOSTILE.values(), ids=HOSTILE)
def test_refuses(sql: str) -> None:
    """Whatever is not one SELECT over the two tables and known functions is refused."""
    with pytest.raises(QueryRefusedError):
        parse_select(sql)


def test_refuses_overlong_text() -> None:
    """A query over the size limit is refused before it is parsed."""
    with pytest.raises(QueryComplexError, match=str(MAX_SQL)):
        parse_select("select " + "1," * MAX_SQL + "1")


def _within(opening: str, closing: str, times: int) -> str:
    return f"select {opening * times}1{closing * times}"


HARD = {
    "row": _within("row(", ")", 24),
    "array": _within("array[", "]", 30),
    "array of rows": _within("array[row(", ")]", 12),
    "parentheses": _within("(", ")", 3_000),
    "casts": _within("cast(", " as int)", 1_000),
    "cases": _within("case when a then ", " end", 600),
    "subqueries": _within("(select ", ")", 900),
    "lists": _within("[", "]", 5_000),
    "structs": _within("{'a':", "}", 2_000),
    "types": "select a::" + "struct(a " * 900 + "int" + ")" * 900,
    "lambdas": _within("list_filter(a, x -> ", ")", 500),
    "comprehensions": _within("[x for x in ", "]", 800),
    "plus": "select a" + "+a" * 9_000,
    "concatenations": "select a" + "||a" * 6_000,
    "words": "select " + "a " * 9_000,
    "unions": "select 1" + " union select 1" * 1_300,
    "CTEs": "with a as (select 1)" + ", a as (select 1)" * 1_100 + " select 1",
    "types of types": "select a::int" + "[]" * 9_000,
}


@pytest.mark.timeout(10)
@pytest.mark.parametrize("sql", HARD.values(), ids=HARD)
def test_refuses_what_is_hard_to_parse(sql: str) -> None:
    """Nesting on which a parser that goes back would work for minutes is refused by a code of its own."""
    with pytest.raises(QueryComplexError):
        parse_select(sql)


def _chain(first: str, each: str, last: str, times: int) -> str:
    return first + "".join(each.format(before=n, after=n + 1) for n in range(times)) + last.format(times)


_C0 = "with c0 as (select 1 as a)"
SWELLING = {
    "tables": "select count(*) from spans" + ", spans" * 60,
    "joins": "select 1 from spans a" + "".join(f" join spans a{n} using (span_id)" for n in range(40)),
    "CTEs twice": _chain(_C0, ", c{after} as (select * from c{before} x, c{before} y)", " select * from c{}", 20),
    "CTEs in a union": _chain(
        _C0, ", c{after} as (select * from c{before} union all select * from c{before})", " select * from c{}", 20
    ),
    "CTEs in expressions": _chain(
        _C0, ", c{after} as (select (select a from c{before}) + (select a from c{before}))", " select * from c{}", 20
    ),
    "aliases": _chain("select 1 as a0", ", a{before} + a{before} as a{after}", "", 20),
    "aliases of text": _chain("select name as a0", ", a{before} || a{before} as a{after}", " from spans", 30),
    "aliases of lists": _chain("select [name] as a0", ", [a{before}, a{before}] as a{after}", " from spans", 20),
    "text in subqueries": "select * from "
    + "(select a || a as a from " * 30
    + "(select name as a from spans)"
    + ")" * 30,
    "text in CTEs": _chain(_C0, ", c{after} as (select a || a as a from c{before})", " select * from c{}", 20),
    "renamed columns": _chain(_C0, ", c{after}(a) as (select a || a from c{before})", " select * from c{}", 20),
    "text in a WHERE": "select * from "
    + "(select a || a as a from " * 30
    + "(select name as a from spans)"
    + ")" * 30
    + " where a",
    "stars": "select * from " + "(select *, * from " * 12 + "spans" + ")" * 12,
    "rows": "select a.* from " + "(select a as x, a as y from " * 18 + "spans a" + ") a" * 18,
    "replace": "select length(" + "replace(" * 9 + "'a'" + ",'a','aaaaaaaaaa')" * 9 + ")",
    "replace by a column": "select " + "replace(" * 9 + "name" + ", 'a', name)" * 9 + " from spans",
    "long constants": f"select replace('{'a' * 9_000}', 'a', '{'b' * 9_000}')",
    "regexp_replace": "select " + "regexp_replace(" * 9 + "'a'" + ",'a','aaaaaaaaaa','g')" * 9,
    "nullif": "select " + "nullif(" * 20 + "name" + ", 'a')" * 20 + " from spans",
    "case": "select " + "case " * 20 + "name" + " when 'a' then 'b' when 'c' then 'd' end" * 20 + " from spans",
    "lambdas": "select " + "list_filter([name], x -> list_contains(" * 18 + "[name]" + ", x))" * 18 + " from spans",
}


@pytest.mark.timeout(10)
@pytest.mark.parametrize("sql", SWELLING.values(), ids=SWELLING)
def test_refuses_what_would_swell_in_the_engine(sql: str) -> None:
    """A short query that an engine would write out into millions of tables, columns or letters is refused."""
    with pytest.raises(QueryComplexError):
        parse_select(sql)


MODEST = {
    "a chain of CTEs": _chain(_C0, ", c{after} as (select * from c{before})", " select * from c{}", 20),
    "many columns": "select " + ", ".join(f"max(duration_ns + {n}) as m{n}" for n in range(150)) + " from spans",
    "many branches": "select case" + " when name = 'a' then 'b'" * 150 + " end from spans",
    "many values": "select * from spans where name in (" + ", ".join(f"'n{n}'" for n in range(900)) + ")",
    "alias on alias": "select duration_ns / 1e9 as s, s / 60 as m, m / 60 as h, h / 24 as d from spans where d > 1",
    "cleaning": "select " + "replace(" * 12 + "name" + ", '/', '-')" * 12 + " from spans",
    "a few unions": " union all ".join(["select name from spans"] * 12),
}  # fmt: skip


@pytest.mark.parametrize("sql", MODEST.values(), ids=MODEST)
def test_allows_what_is_long_and_no_more(sql: str) -> None:
    """Long but plain questions stay within the limits."""
    assert isinstance(parse_select(sql), exp.Query)


def test_what_is_refused_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The text of a query is not written to the log, whatever it is."""
    with pytest.raises(QueryRefusedError):
        parse_select("explain analyze select 'secret'")

    assert caplog.text == ""


@pytest.mark.timeout(10)
@pytest.mark.parametrize("subscript", ["[1]", "[1:2]", "[-1]", "[a]"])
def test_a_chain_of_subscripts_is_refused_at_once(subscript: str) -> None:
    """A chain of subscripts, whose types a parser would infer anew at each, is refused within the limit."""
    with pytest.raises(QueryRefusedError):
        parse_select("select a" + subscript * (15_000 // len(subscript)))


def test_subscripts_keep_their_numbers() -> None:
    """Subscripts come out as they went in, counted from 1."""
    sql = "SELECT tags[1], tags[1:2][i], LIST_EXTRACT(tags, 2), [7, 8][1] FROM spans"

    assert parse_select(sql).sql(dialect="duckdb") == sql


def test_names_the_nearest_table() -> None:
    """A mistyped table is refused with the name that was meant."""
    with pytest.raises(QueryRefusedError, match="did you mean 'spans'"):
        parse_select("select * from span")


@given(st.text(max_size=300))
def test_any_text_parses_or_is_refused(text: str) -> None:
    """No text makes the parser raise anything but a refusal."""
    try:
        tree = parse_select(text)
    except QueryRefusedError:
        return

    assert isinstance(tree, exp.Query)


ALLOWED = """
select 1
select model, count(*) from spans where start_time > now() - interval 1 day group by 1 order by 2 desc limit 5
with a as (select * from spans), b as (select * from a) select date_trunc('hour', start_time), count(*) from b group by all
select s.trace_id, c.value from spans s join scores c using (trace_id) where c.name = 'helpful'
select quantile_cont(duration_ns, 0.95) filter (where status = 'error') from spans
select attributes->>'gen_ai.request.model', json_extract_string(resource, '$.host') from spans
select user_id, row_number() over (partition by model order by start_time) from spans
select case when status = 'error' then 1 else 0 end, name ilike '%chat%', start_time::date from spans
select name from spans union all select name from scores
select * exclude (input, output) from spans where trace_id in (select trace_id from scores)
select time_bucket(interval '5 minutes', start_time), median(duration_ns) from spans group by 1
"""


@pytest.mark.parametrize("sql", ALLOWED.strip().splitlines())
def test_allows(sql: str) -> None:
    """The questions people ask of their calls are allowed."""
    tree = parse_select(sql)

    assert isinstance(tree, exp.Query)
