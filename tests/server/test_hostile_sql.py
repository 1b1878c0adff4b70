"""Hostile SQL through the API of a real server: refused by a stable code, or the caller's rows alone."""

# ruff: noqa: RUF001 - letters that look like others are part of the attack

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.otlp import CHAT, request, span
from tests.serving import Served, serving

CANARY = "canary-of-team-b"

REFUSED = """
insert into spans values (1)
update spans set name = 'x'
delete from spans
drop table spans
create table x as select * from spans
create view x as select * from spans
create macro m() as 1
create temp table t as select 1
alter table spans add column x int
truncate spans
merge into spans using spans on true when matched then delete
attach ':memory:' as other
detach store
use main
copy spans to '/tmp/x.csv'
copy (select 1) to '/tmp/x.csv'
export database '/tmp/x'
import database '/tmp/x'
pragma database_list
pragma table_info('spans')
set memory_limit = '100GB'
reset memory_limit
checkpoint
vacuum
begin
commit
install httpfs
load httpfs
call pragma_version()
prepare p as select 1
execute p
deallocate p
explain select 1
explain analyze select * from spans
describe spans
show tables
show all tables
summarize spans
from spans select getenv('HOME')
select * from main.spans
select * from "main"."spans"
select * from store.main.spans
select * from memory.spans
select * from temp.spans
select * from system.information_schema.tables
select * from information_schema.tables
select * from information_schema.columns
select * from pg_catalog.pg_class
select * from sqlite_master
select * from sqlite_schema
select * from duckdb_tables()
select * from duckdb_columns()
select * from duckdb_settings()
select * from duckdb_secrets()
select * from duckdb_databases()
select * from duckdb_functions()
select * from duckdb_memory()
select * from duckdb_temporary_files()
select * from duckdb_logs()
select * from pragma_table_info('spans')
select * from pragma_storage_info('spans')
select * from pragma_database_size()
select * from storage_info('spans')
select * from erased
select * from facts_due
select * from pending_logs
select * from format
select * from incoming
select * from keys
select * from '/etc/passwd'
select * from 'spans.csv'
select * from "/etc/passwd"
select * from read_csv('/etc/passwd')
select * from read_csv_auto('/etc/passwd')
select * from read_text('/etc/*')
select * from read_blob('/etc/passwd')
select * from read_json('/etc/passwd')
select * from read_parquet('/x')
select * from parquet_metadata('/x')
select * from sniff_csv('/etc/passwd')
select * from glob('/*')
select * from query('select * from spans')
select * from query_table('spans')
select * from seq_scan('spans')
select * from arrow_scan(1, 2, 3)
select * from pandas_scan(1)
select * from python_map_function(1)
select * from sql_auto_complete('s')
select * from json_execute_serialized_sql('x')
select json_serialize_sql('select 1')
select * from range(1000000000000)
select unnest(range(1000000000000))
select unnest(generate_series(1, 1000000000000))
select * from generate_series(1, 1000000000000)
select * from repeat_row(1, num_rows = 100000000)
select repeat('x', 1000000000)
select lpad('x', 1000000000, 'y')
select rpad('x', 1000000000, 'y')
select list_resize([1], 1000000000)
select array_resize([1], 1000000000)
select getenv('HOME')
select getvariable('x')
select current_setting('memory_limit')
select current_database()
select current_schema()
select current_query()
select version()
select pg_sleep(10)
select sleep_ms(1000)
select nextval('x')
select currval('x')
select txid_current()
select write_log('x')
select error('x')
select md5_number('x')
select random()
select uuid()
select columns('.*') from spans
select * from spans using sample 10
select * from spans tablesample reservoir(10)
select 1 into x from spans
select * from (values (1)) t
values (1)
pivot spans on kind
select * from (pivot spans on kind using count(*))
unpivot spans on name
select * from spans at (version => 1)
select * from spans for update
select ?
select $1
select :name
select * from ｓｐａｎｓ
select * from spаns
select * from "spans "
select * from "SPANS""x"
select 1; select 2
select 1; drop table spans
select 1 /* */ ; -- x
with recursive r as (select 1 as n union all select n + 1 from r) select * from r
with spans as (select 1) select * from spans
with "SPANS" as (select 1) select * from spans
with a as (select * from b), b as (select 1) select * from a
with a as (insert into spans values (1) returning *) select * from a
with a as (attach ':memory:' as x) select 1
select * from (with t as (select 1) select * from t) q, t
select * from (with spans as (select 1) select * from spans) q
select * from users
select * from spans semi join erased using (trace_id)
select * from spans positional join erased
select * from spans where exists (select 1 from erased)
select (select count(*) from pending_logs)
select * from spans, lateral (select * from erased) x
select list_transform([1], x -> getenv('HOME'))
select list_filter([1], x -> getenv('HOME') is null)
select project_raw from spans
select raw_rest from spans
select rowid from spans
select key_hash from spans
select cast(name as integer) from spans
hello there
select (((
select 'unclosed
select "unclosed
select $$unclosed
"""

ANSWERED = """
select * from spans
from spans
table spans
select * from spans where project = 'team-b'
select * from spans where project = 'team-b' or true
select * from spans where project in ('team-b', 'default')
select count(*) filter (where project <> 'team-a') as others from spans having others > 0
select * from "spans"
select * from SPANS
select * from spans as team_b
select project from spans as t(project)
select s.* from spans s
select spans.* from spans
select * from spans a join spans b on true
select * from spans a cross join spans b
select * from spans a left join spans b on false
select * from spans a right join spans b on a.project <> b.project
select * from spans a full join spans b on a.project <> b.project
select * from spans natural join spans b
select * from spans semi join spans b using (trace_id)
select * from spans anti join spans b on false
select * from spans positional join spans b
select * from spans asof join spans b on spans.start_time >= b.start_time
select * from spans, lateral (select * from spans b) x
select (select max(service) from spans)
select array(select service from spans)
select * from spans where service in (select service from spans)
select * from spans where exists (select 1 from spans b where b.project <> spans.project)
select * from spans union select * from spans
select * from spans except select * from spans where project = 'team-a'
select * from spans intersect select * from spans
with a as (select * from spans) select * from a
with a as (select * from spans), b as (select * from a) select * from a, b
with a(project) as (select * from spans) select * from a
select * from (select * from (select * from spans))
select service, row_number() over () as n from spans qualify n > 0
select service, count(*) from spans group by all
select service from spans group by rollup (service)
select string_agg(service, ',') from spans
select list(service) from spans
select max_by(service, start_time) from spans
select any_value(attributes) from spans
select list_filter(list(service), x -> x <> '') from spans
select attributes ->> 'gen_ai.request.model' from spans
select * exclude (input) from spans
select * from spans order by random_order limit 5
select * from spans order by all
select * from spans limit 9223372036854775807
select * from spans limit (select count(*) from spans)
select * from spans limit 100%
select 'NaN'::double, 'inf'::double, '-inf'::double
select 170141183460469231731687303715884105727
select 1e308 * 10
select 'x'::blob
select regexp_matches('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!', '^(a+)+$')
select * from spans -- '; drop table spans
select * from spans /* ; drop table spans */
"""

HOGS = """
select count(*) from spans a, spans b, spans c, spans d, spans e, spans f, spans g, spans h
select string_agg(a.name || b.name || c.name || d.name, '') from spans a, spans b, spans c, spans d, spans e, spans f
select list(a.input) from spans a, spans b, spans c, spans d, spans e
select count(distinct a.name || b.span_id || c.span_id || d.span_id || e.span_id) from spans a, spans b, spans c, spans d, spans e
select * from spans a, spans b, spans c, spans d, spans e order by random_order, a.name, b.name
select max(regexp_replace(a.input || b.input, '(.*)(.*)(.*)', '\\3\\2\\1')) from spans a, spans b, spans c, spans d, spans e
"""


def _lines(text: str) -> list[str]:
    return [line for line in text.strip().splitlines() if line]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with little memory, rows of the caller's project, and canaries in two others."""
    folder = tmp_path_factory.mktemp("hostile")
    projects = ("team-a", "team-b")
    with serving(folder, projects=projects, environ={"WATCHKEEPER_MEMORY_MIB": "256"}) as found:
        named = {"gen_ai.request.model": CANARY, "gen_ai.response.model": CANARY, "user.id": CANARY}
        theirs = request(span(name=CANARY, attributes=CHAT | named), service=CANARY)
        found.export(theirs, "team-b")
        found.export(theirs)
        own = [span(trace_id=f"{n + 1:032x}", span_id=f"{n + 1:016x}", name=f"n{n}") for n in range(200)]
        found.export(request(*own), "team-a")
        yield found


@pytest.mark.slow
@pytest.mark.parametrize("sql", _lines(REFUSED))
def test_refused_by_a_stable_code(served: Served, sql: str) -> None:
    """Whatever writes, reaches out of the two tables or asks the engine about itself is refused by name."""
    status, answer = served.sql(sql, "team-a")

    assert (status, answer.get("error", {}).get("code")) == (400, "query_refused"), answer
    assert CANARY not in json.dumps(answer)


@pytest.mark.slow
@pytest.mark.parametrize("sql", _lines(ANSWERED))
def test_no_form_shows_another_projects_rows(served: Served, sql: str) -> None:
    """A question in any form of the grammar is answered from the caller's own rows, or refused; never with a canary."""
    status, answer = served.sql(sql, "team-a")

    assert status == 200 or answer["error"]["code"] == "query_refused", answer
    assert CANARY not in json.dumps(answer)


@pytest.mark.slow
@pytest.mark.parametrize("sql", _lines(HOGS))
def test_a_hog_is_stopped_and_the_writer_goes_on(served: Served, sql: str) -> None:
    """What would eat memory or time ends by a stable code, and a span sent right after is stored."""
    status, answer = served.sql(sql, "team-a")
    served.export(request(span(trace_id="f" * 32)), "team-a")

    assert (status, answer.get("error", {}).get("code")) in {(400, "query_refused"), (504, "query_timeout")}, answer
    assert served.process.poll() is None
