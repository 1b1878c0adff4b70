"""WKD1xx."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.doctor.conftest import bad, found, look
from tests.serving import Served, free_port
from watchkeeper.doctor import examine, ports

_LISTENS = "import socket, sys; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); print(flush=True); input()"


@contextmanager
def _occupied() -> Iterator[tuple[int, int]]:
    port = free_port()
    words = [sys.executable, "-c", _LISTENS, str(port)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        try:
            yield port, child.pid
        finally:
            child.kill()


def test_a_program_on_the_port_is_named(tmp_path: Path) -> None:
    """A port that another program has is a configuration failure with its pid, its program and the way out."""
    with _occupied() as (port, pid):
        report = look(tmp_path / "new", {"WATCHKEEPER_PORT": str(port)})
    told = found(report, "WKD101")

    assert f"pid {pid} (python" in told.what
    assert told.where == f"127.0.0.1:{port}"
    assert f"watchkeeper serve --port {port + 1}" in str(told.mend) or "--port" in str(told.mend)
    assert report.exit_code == 2


def test_a_taken_grpc_port_fails_where_it_was_asked_for(tmp_path: Path) -> None:
    """The gRPC port that was asked for and is taken fails, with the program that has it."""
    with _occupied() as (port, pid):
        report = look(tmp_path / "new", {"WATCHKEEPER_GRPC_PORT": str(port)})

    assert f"pid {pid}" in found(report, "WKD112").what


def test_the_default_grpc_port_may_be_another_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody asked for a gRPC port and the default one is taken, it is a warning: HTTP is served all the same."""
    with _occupied() as (port, pid):
        monkeypatch.setattr(ports, "DEFAULT_GRPC_PORT", port)
        report = examine(data_dir=tmp_path / "new", environ={"WATCHKEEPER_PORT": str(free_port())})
    told = found(report, "WKD111")

    assert f"pid {pid}" in told.what
    assert "--grpc-port" in str(told.mend)
    assert report.exit_code == 0


def test_another_folders_server_is_no_stranger(served: tuple[Served, Path], tmp_path: Path) -> None:
    """A Watchkeeper of another folder on our port is a warning that names its process."""
    server, _ = served
    report = look(tmp_path / "new", {"WATCHKEEPER_PORT": server.url.rpartition(":")[2]})

    assert f"pid {server.process.pid}" in found(report, "WKD102").what


def test_an_address_that_is_not_ours_is_denied(tmp_path: Path) -> None:
    """An address of another machine cannot be listened on, and beyond loopback a key is wanted."""
    report = look(tmp_path / "new", {"WATCHKEEPER_HOST": "192.0.2.1"})

    assert {"WKD103", "WKD121"} <= bad(report)


def test_its_own_server_is_well(served: tuple[Served, Path]) -> None:
    """While the folder's server runs, everything about it is well: ports, endpoint, lock, store."""
    server, folder = served
    report = look(folder, {"WATCHKEEPER_ENDPOINT": server.url, "WATCHKEEPER_API_KEY": server.keys["shop"]})

    assert bad(report) == set()
    assert report.exit_code == 0
    assert found(report, "WKD100").where == server.url
    assert str(server.process.pid) in found(report, "WKD710").what


def test_a_fresh_machine_is_well(tmp_path: Path) -> None:
    """Before the first server nothing fails: there is no folder yet, and nothing is stored."""
    report = look(tmp_path / "new", {"WATCHKEEPER_ENDPOINT": ""})

    assert report.exit_code == 0
    assert {"WKD100", "WKD110", "WKD611", "WKD701"} <= {one.id for one in report.findings}
