"""Random hostile SQL through the API of a real server: a grammar of it, cut and mutated, the same at every run."""

from __future__ import annotations

import json
import random
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.otlp import CHAT, request, span
from tests.serving import Served, serving
from watchkeeper.kit.errors import QueryRefusedError
from watchkeeper.query import parse_select

CANARY = "canary-of-team-b"
FILE_CANARY = "canary-of-a-file"
_ROUNDS = 250
"""Queries a seed."""

_STATEMENTS = [
    *["{q}"] * 24, "({q})", "with t as ({q}) {q}", "with t as ({q}), u as (select * from t) {q}",
    "{q} union all {q}", "{q} except {q}", "with recursive t as ({q} union all {q}) {q}", "explain analyze {q}",
    "copy ({q}) to '{file}'", "create table z as {q}", "attach '{file}' as z", "export database '{file}'",
    "insert into spans {q}", "prepare p as {q}", "{q}; {q}", "summarize {q}", "describe {q}", "pragma database_list",
    "create or replace view spans as {q}", "install httpfs from '{url}'", "set home_directory = '{file}'",
]  # fmt: skip
_QUERIES = [
    "select {e}, {e} from {t}", "select * from {t}", "select {e} from {t} where {e}", "from {t} select {e}", "from {t}",
    "select {e}, count(*) from {t} group by all having {e}", "select {e} from {t} order by {e} limit {n}",
    "select {e} as a, {e} as b from {t} qualify row_number() over (partition by {e} order by {e}) = 1",
    "select * from {t} where {e} in (select {c} from {t})", "select t.* from {t} as t", "table {t}",
    "select * replace ({e} as name) from {t}", "pivot {t} on {c}", "select * from {t} limit {n} offset {n}",
]  # fmt: skip
_TABLES = [
    "spans", "spans", "spans", "scores", "t", "u", "SPANS", '"spans"', "main.spans", "store.main.spans", "store.spans",
    "information_schema.tables", "duckdb_settings()", "read_text('{secret}')", "read_csv('{url}')", "'{secret}'", "'{url}'",
    "glob('/*')", "read_blob('{secret}')", "query('from spans')", "query_table('spans')", "({q})", "({q}) as t(project, x)",
    "spans as a join spans as b on {e}", "spans, spans as b", "spans natural join spans as b", "spans positional join spans b",
    "spans asof join spans b on spans.start_time >= b.start_time", "spans, lateral ({q}) l", "unnest([1, 2, 3]) as u(x)",
    "erased", "format", "pg_catalog.pg_class", "sqlite_master", "range({n})", "spans using sample 3", "(values ({e})) v",
    "spans at (version => 1)", "spans left join scores using (trace_id)", "(from spans) pivot (count(*) for kind in ('llm'))",
]  # fmt: skip
_EXPRESSIONS = [
    "{c}", "{c}", "{c}", "*", "{n}", "'{file}'", "null", "{e} + {e}", "{e} || {e}", "{e} = {e}", "{e} <> 'team-a'", "not {e}",
    "({e})", "({q})", "exists ({q})", "{f}({e})", "{f}({e}, {e})", "{f}({e}, {e}, {e})", "case when {e} then {e} else {e} end",
    "case {e} when {e} then {e} end", "cast({e} as {y})", "{e}::{y}", "try_cast({e} as {y})", "[{e}, {e}]", "{e}[{n}]",
    "{e}[{n}:{n}]", "{{'a': {e}}}", "list_filter([{e}], x -> {e})", "[x for x in [{e}] if {e}]", "{e} -> '{file}'",
    "{e} ->> 'gen_ai.request.model'", "count(*) filter (where {e})", "sum({e}) over (order by {e})", "{e} in ({e}, {e})",
    "{e} between {e} and {e}", "{e} like {e}", "{e} similar to {e}", "columns({e})", "array({q})", "interval ({e}) day",
    "string_agg({e}, '{file}')", "{e} collate nocase", "{e} at time zone 'UTC'", "nullif({e}, {e})", "row({e}, {e})", "$1", "?",
    "extract(epoch from {e})", "struct_extract({e}, 'project')", "{e}.project", "map {{1: {e}}}", "any_value({e})",
]  # fmt: skip
_COLUMNS = [
    "project", "name", "service", "trace_id", "start_time", "attributes", "input", "tags", "duration_ns", "user_id", "spans",
    "rowid", "spans.project", "b.project", "a", "b", "x", '"project"', "main.spans.project", "key_hash", "raw_rest", "t.project",
]  # fmt: skip
_FUNCTIONS = [
    "max", "min", "list", "string_agg", "coalesce", "concat", "replace", "regexp_replace", "regexp_extract", "json_extract",
    "length", "abs", "date_trunc", "strftime", "strptime", "quantile_cont", "unnest", "list_sort", "split", "round", "ceil",
    "getenv", "read_text", "current_setting", "repeat", "lpad", "range", "query", "error", "pg_sleep", "nextval", "version",
    "to_json", "json_execute_serialized_sql", "sniff_csv", "getvariable", "list_transform", "array_agg", "arg_max", "mode",
]  # fmt: skip
_TYPES = [
    "int",
    "varchar",
    "json",
    "blob",
    "timestamp",
    "double",
    "hugeint",
    "int[]",
    "struct(a int)",
    "decimal(38, 2)",
    "uuid",
]
_NUMBERS = [
    "0", "1", "-1", "7", "9223372036854775807", "-9223372036854775808", "1e308", "1e-400",
    "170141183460469231731687303715884105728",
]  # fmt: skip
_RULES = {
    "q": (_QUERIES, "select 1"), "t": (_TABLES, "spans"), "e": (_EXPRESSIONS, "project"), "c": (_COLUMNS, ""),
    "f": (_FUNCTIONS, ""), "y": (_TYPES, ""), "n": (_NUMBERS, ""),
}  # fmt: skip
_MUTATIONS = [
    "--", "/*", "*/", ";", "'", '"', "$$", "\\", "\x00", "\u00a0", "\u200b", "\uff53", "(", ")", "[", "]", ",", "E'", "x'",
    " or true ", "::", "\n",
]  # fmt: skip


@dataclass
class Traps:
    """What hostile SQL would touch: a file to read, a folder to write to, an address to call."""

    served: Served
    secret: Path
    folder: Path
    listener: socket.socket

    @property
    def names(self) -> dict[str, str]:
        """What the grammar writes for them."""
        port = self.listener.getsockname()[1]
        return {"secret": str(self.secret), "file": str(self.folder / "out"), "url": f"http://127.0.0.1:{port}/x.csv"}


@pytest.fixture(scope="module")
def traps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traps]:
    """A server with little memory, canaries in another project and in a file, an empty folder, and a port that hears."""
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / "empty").mkdir()
    (folder / "secret.txt").write_text(FILE_CANARY)
    environ = {"WATCHKEEPER_MEMORY_MIB": "256"}
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        serving(folder, projects=("team-a", "team-b"), environ=environ) as served,
    ):
        listener.settimeout(0)
        named = {"gen_ai.request.model": CANARY, "user.id": CANARY}
        served.export(request(span(name=CANARY, attributes=CHAT | named), service=CANARY), "team-b")
        own = [
            span(trace_id=f"{n + 1:032x}", span_id=f"{n + 1:016x}", name=f"n{n}", attributes=CHAT) for n in range(20)
        ]
        served.export(request(*own), "team-a")
        yield Traps(served, folder / "secret.txt", folder / "empty", listener)


def _grow(rng: random.Random, text: str, names: dict[str, str], depth: int) -> str:
    """Fill a template's holes; past a depth only with what has none."""
    found: list[str] = []
    place = 0
    while place < len(text):
        if text[place : place + 2] in {"{{", "}}"}:
            found.append(text[place])
            place += 2
        elif text[place] == "{":
            end = text.index("}", place)
            found.append(_fill(rng, text[place + 1 : end], names, depth))
            place = end + 1
        else:
            found.append(text[place])
            place += 1
    return "".join(found)


def _fill(rng: random.Random, hole: str, names: dict[str, str], depth: int) -> str:
    if hole in names:
        return names[hole]
    choices, plain = _RULES[hole]
    return _grow(rng, plain if plain and depth <= 0 else rng.choice(choices), names, depth - 1)


def _hostile(rng: random.Random, names: dict[str, str]) -> str:
    text = _grow(rng, rng.choice(_STATEMENTS), names, rng.randrange(1, 6))
    for _ in range(rng.choice((0, 0, 0, 0, 0, 0, 1, 3))):
        at = rng.randrange(len(text) + 1)
        cut = rng.choice((0, 0, 1, 5))
        text = text[:at] + rng.choice(_MUTATIONS) + text[at + cut :]
    return text[:20_000]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_random_hostile_sql_is_answered_from_ones_own_rows_or_refused(traps: Traps, seed: int) -> None:
    """No random SQL shows another project's rows or a file, writes one, calls out, fails on our side or ends the server."""
    rng = random.Random(seed)
    bad: list[tuple[str, int, str]] = []
    for _ in range(_ROUNDS):
        sql = _hostile(rng, traps.names)
        status, answer = traps.served.sql(sql, "team-a")
        code = answer.get("error", {}).get("code", "")
        good = status == 200 or (status, code) in {
            (400, "query_refused"), (400, "query_complex"), (504, "query_timeout"),
        }  # fmt: skip
        told = json.dumps(answer.get("rows", []))
        if not good or CANARY in json.dumps(answer) or FILE_CANARY in told:
            bad.append((sql, status, json.dumps(answer)[:300]))

    assert bad == []
    assert list(traps.folder.iterdir()) == []
    with pytest.raises(BlockingIOError):
        traps.listener.accept()
    assert traps.served.process.poll() is None
    assert traps.served.sql("select distinct project from spans", "team-a") == (
        200, {"columns": ["project"], "rows": [["team-a"]], "truncated": False},
    )  # fmt: skip


def test_the_grammar_makes_what_is_allowed_too() -> None:
    """A good part of the random SQL passes the allow-list, so that the engine behind it is tried as well."""
    rng = random.Random(0)
    names = {"secret": "/s", "file": "/f", "url": "http://u"}
    passed = 0
    for _ in range(300):
        try:
            parse_select(_hostile(rng, names))
        except QueryRefusedError:
            continue
        passed += 1

    assert passed > 30
