"""WKD7xx: locks that are stale, held or hung; stores that are newer, foreign or broken."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from tests.doctor.conftest import bad, found, look
from tests.otlp import request, span
from tests.serving import serving

_OPENS = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(flush=True); input()"


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """A data folder whose server was killed after a span."""
    with serving(tmp_path) as server:
        server.export(request(span()))
        server.process.kill()
        server.process.wait()
    (tmp_path / "data").chmod(0o700)
    return tmp_path / "data"


def _bytes(folder: Path) -> dict[str, bytes]:
    there = (one for one in folder.rglob("*") if one.is_file() and not one.name.endswith(("-shm", "-wal")))
    return {str(one): one.read_bytes() for one in there}


def test_a_killed_servers_lock_is_stale(killed: Path) -> None:
    """After kill -9 the lock is called stale, the store is still well, and looking changed no byte."""
    before = _bytes(killed)
    report = look(killed)

    assert "which is gone" in found(report, "WKD711").what
    assert {one.id for one in report.findings if one.id[:4] == "WKD7"} == {"WKD711", "WKD700", "WKD720", "WKD730"}
    assert report.exit_code == 0
    assert _bytes(killed) == before


def test_a_process_that_has_the_store_open_is_named(killed: Path) -> None:
    """A notebook that opened the store's file is found with its pid: a server could not start."""
    words = [sys.executable, "-c", _OPENS, str(killed / "spans.duckdb")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        told = found(look(killed), "WKD703")
        child.kill()

    assert f"pid {child.pid}" in told.what
    assert told.mend == f"kill {child.pid}"


def test_a_hung_server_is_named(tmp_path: Path) -> None:
    """A server that holds the folder and does not answer fails, with the pid to end."""
    with serving(tmp_path) as server:
        os.kill(server.process.pid, signal.SIGSTOP)
        try:
            report = look(tmp_path / "data")
        finally:
            os.kill(server.process.pid, signal.SIGCONT)

    assert str(server.process.pid) in found(report, "WKD712").what
    assert report.exit_code == 103


def test_a_newer_stores_formats_are_told(killed: Path) -> None:
    """A store of a newer release, spans or keys, is refused with both numbers."""
    with duckdb.connect(str(killed / "spans.duckdb")) as file:
        file.execute("INSERT INTO format VALUES (99, now()::TIMESTAMP)")
    with sqlite3.connect(killed / "control.sqlite") as control:
        control.execute("UPDATE alembic_version SET version_num = '9999'")
    control.close()
    told = [one.what for one in look(killed).findings if one.id == "WKD702"]

    assert len(told) == 2
    assert "format 99" in told[0]
    assert "9999" in told[1]


def test_what_is_no_store_is_told_from_a_broken_one(tmp_path: Path) -> None:
    """Another program's database and noise are no store of ours; noise in the place of the keys cannot be opened."""
    foreign, broken = tmp_path / "foreign", tmp_path / "broken"
    for folder in (foreign, broken):
        folder.mkdir(mode=0o700)
    with duckdb.connect(str(foreign / "spans.duckdb")) as file:
        file.execute("CREATE TABLE theirs (a INTEGER)")
    (broken / "spans.duckdb").write_bytes(os.urandom(1 << 16))
    (broken / "control.sqlite").write_bytes(os.urandom(1 << 16))

    assert bad(look(foreign)) - {"WKD402"} == {"WKD702"}
    assert [one.id for one in look(broken).findings if one.severity == "fail"] == ["WKD702", "WKD704"]
