"""What only the DuckDB backend has: a file, a format, SQL text, memory and space that run out."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from tests.store.conftest import FolderBackend
from watchkeeper.kit.errors import StoreError, StoreFormatError, StoreFullError, StoreLockedError, WatchkeeperError
from watchkeeper.store.api import SpanFilter, TraceFilter
from watchkeeper.store.columns import SCORE_COLUMNS, SPAN_COLUMNS
from watchkeeper.store.conformance.samples import Maker, refine, stored
from watchkeeper.store.duckdb import statements
from watchkeeper.store.duckdb.engine import translated
from watchkeeper.store.duckdb.filters import Query, span_conditions, trace_conditions
from watchkeeper.store.duckdb.sql_query import bind
from watchkeeper.store.factory import SPANS_FILE, open_span_store

_SNAPSHOTS = Path(__file__).parent / "snapshots"
_DOCS = Path(__file__).parents[2] / "docs" / "reference" / "sql.md"
make = Maker()

_ALL_SPANS = SpanFilter(
    trace_id="t", service="s", environment="e", kind="llm", model="m", status="ok", user_id="u", session_id="s", since=1,
    until=2, text="x",
)  # fmt: skip
_ALL_TRACES = TraceFilter(
    service="s", environment="e", model="m", status="error", user_id="u", session_id="s", text="x"
)


def _user(sql: str) -> str:
    tree = sqlglot.parse_one(sql, read="duckdb")
    assert isinstance(tree, exp.Query)
    return bind(tree, "it's", 11)


_RENDERED: dict[str, Callable[[], str]] = {
    "span_filter": lambda: span_conditions(Query(statements.SPAN_ROWS), "p", _ALL_SPANS).sql(),
    "trace_filter": lambda: trace_conditions(Query(statements.TRACE_KEYS), _ALL_TRACES).sql(),
    "user_select": lambda: _user(
        "WITH x AS (SELECT * FROM spans) SELECT a.name FROM x AS a JOIN scores USING (trace_id)"
    ),
    "user_limit": lambda: _user("SELECT name FROM spans ORDER BY 1 LIMIT 5"),
    "user_now": lambda: _user(
        "SELECT name, now() FROM scores WHERE time > now() - INTERVAL 1 DAY AND date_trunc('hour', current_timestamp) > time "
        "AND time BETWEEN (now() - INTERVAL '2 hours') AND now() AND time < now() AT TIME ZONE 'Europe/Paris' "
        "AND now() - time < INTERVAL 1 DAY"
    ),
    "copy_facts": statements.COPY_FACTS.strip,
    "trace_rows": lambda: Query(statements.TRACE_ROWS).sql(),
}


@pytest.mark.parametrize("name", sorted(_RENDERED))
def test_rendered_sql(name: str) -> None:
    """The SQL sent to the engine is the one on file; a change of it is a decision, not an accident."""
    assert _RENDERED[name]() + "\n" == (_SNAPSHOTS / f"{name}.sql").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "now", ["now()", "current_timestamp", "date_trunc('day', now())", "date_trunc('month', now() - INTERVAL 1 MONTH)"]
)
def test_now_without_a_zone(now: str) -> None:
    """A user's `now()` that is compared is a plain timestamp to the engine, and the same instant."""
    sql = _user(f"SELECT 1 FROM spans WHERE start_time = {now}")
    plain = sql.partition("start_time = ")[2].partition(" LIMIT")[0]
    with duckdb.connect() as raw:
        raw.execute("SET TimeZone = 'UTC'")
        found = raw.execute(f"SELECT typeof({plain}), {plain} = {now}").fetchall()
    assert found == [("TIMESTAMP", True)]


def test_a_newer_format_is_refused(folder_backend: FolderBackend) -> None:
    """A file of a newer release is refused, and says what to do."""
    folder_backend.open().close()
    assert folder_backend.folder is not None
    with duckdb.connect(str(folder_backend.folder / SPANS_FILE)) as raw:
        raw.execute("INSERT INTO format VALUES (99, now()::TIMESTAMP)")
    with pytest.raises(StoreFormatError, match="format 99") as refusal:
        folder_backend.open()
    assert refusal.value.hint is not None


def test_a_strange_file_is_refused(tmp_path: Path) -> None:
    """A DuckDB file of someone else is left alone, and so is what is no DuckDB file at all."""
    with duckdb.connect(str(tmp_path / SPANS_FILE)) as raw:
        raw.execute("CREATE TABLE mine (a INTEGER)")
    with pytest.raises(StoreFormatError):
        open_span_store(tmp_path, refine=refine)
    other = tmp_path / "other"
    other.mkdir()
    (other / SPANS_FILE).write_bytes(b"not a database" * 1_000)
    with pytest.raises(StoreFormatError):
        open_span_store(other, refine=refine)


def test_a_second_process_is_refused(folder_backend: FolderBackend) -> None:
    """While one process has the store open, another gets StoreLockedError."""
    folder_backend.open()
    code = (
        "import sys; from pathlib import Path\n"
        "from watchkeeper.kit.errors import StoreLockedError\n"
        "from watchkeeper.store.conformance.samples import refine\n"
        "from watchkeeper.store.factory import open_span_store\n"
        "try: open_span_store(Path(sys.argv[1]), refine=refine)\n"
        "except StoreLockedError: sys.exit(42)\n"
    )
    child = subprocess.run([sys.executable, "-c", code, str(folder_backend.folder)], check=False, timeout=60)
    assert child.returncode == 42


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (duckdb.IOException('IO Error: Could not write: "No space left on device"'), StoreFullError),
        (duckdb.IOException("IO Error: Could not set lock on file"), StoreLockedError),
        (duckdb.IOException("IO Error: disk fell off"), StoreError),
        (duckdb.FatalException("FATAL Error: database has been invalidated"), StoreError),
        (duckdb.OutOfMemoryException("Out of Memory Error: too much"), StoreError),
        (duckdb.ConstraintException("Constraint Error: x"), StoreError),
        (OSError(28, "No space left on device"), StoreFullError),
        (PermissionError(13, "denied"), StoreError),
    ],
)
def test_foreign_errors_are_translated(raised: Exception, expected: type[WatchkeeperError]) -> None:
    """What the engine or the file system raises leaves as one of our errors."""
    with pytest.raises(StoreError) as caught, translated():
        raise raised
    assert type(caught.value) is expected


def test_a_full_disk_acknowledges_nothing(folder_backend: FolderBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """When there is no space the batch fails with StoreFullError, nothing of it is there, and later ones are stored."""
    store = folder_backend.open()
    stored(store, make.span(1, 1))

    def full(*_: object) -> int:
        message = 'IO Error: Could not write: "No space left on device"'
        raise duckdb.IOException(message)

    with monkeypatch.context() as patch:
        patch.setattr(store._writer, "_write", full)  # type: ignore[attr-defined]
        with pytest.raises(StoreFullError):
            stored(store, make.span(2, 1))
    assert store.get_span("default", f"{2:032x}", f"{1:016x}") is None
    assert stored(store, make.span(2, 1)).outcomes == ("inserted",)


def test_a_writer_without_memory_interrupts_readers(
    folder_backend: FolderBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a write finds no memory, running reads are stopped and the write is tried once more."""
    store = folder_backend.open()
    writer = store._writer  # type: ignore[attr-defined]
    whole, calls = writer._write, []

    def hungry(plan: object, entry: int) -> int:
        calls.append("write")
        if len(calls) == 1:
            message = "Out of Memory Error"
            raise duckdb.OutOfMemoryException(message)
        return int(whole(plan, entry))

    monkeypatch.setattr(writer, "_write", hungry)
    monkeypatch.setattr(writer, "interrupt_readers", lambda: calls.append("interrupt"))
    assert stored(store, make.span(1, 1)).outcomes == ("inserted",)
    assert calls == ["write", "interrupt", "write"]


def test_columns_are_documented() -> None:
    """Every column users may name stands in the reference."""
    text = _DOCS.read_text(encoding="utf-8")
    assert [name for name in (*SPAN_COLUMNS, *SCORE_COLUMNS) if f"`{name}`" not in text] == []


def test_checkpointing_keeps_everything(folder_backend: FolderBackend) -> None:
    """A checkpoint empties the log and loses nothing."""
    store = folder_backend.open()
    stored(store, *(make.span(n, 1, at=n, text="x" * 1_000) for n in range(1, 300)))
    store._writer._checkpoint()  # type: ignore[attr-defined]
    assert len(list(store.scan_spans("default", SpanFilter()))) == 299


def test_a_hash_collision_is_no_identity(folder_backend: FolderBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys that share a hash are still two spans of two traces."""
    monkeypatch.setattr("watchkeeper.store.duckdb.parcel.hash_key", lambda *_: 7)
    monkeypatch.setattr("watchkeeper.store.duckdb.merge.hash_key", lambda *_: 7)
    monkeypatch.setattr("watchkeeper.store.duckdb.reader.hash_key", lambda *_: 7)
    store = folder_backend.open()
    stored(store, make.span(1, 1, at=0), make.span(2, 1, at=5))
    assert stored(store, make.span(1, 2, at=9), make.span(2, 1, at=5)).outcomes == ("inserted", "unchanged")
    assert stored(store, make.span(2, 1, at=5, model="m")).outcomes == ("merged",)
    assert [row.spans for row in store.list_traces("default", TraceFilter()).items] == [1, 2]
    assert len(store.list_spans("default", SpanFilter(trace_id=f"{1:032x}")).items) == 2
