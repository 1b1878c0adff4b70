"""`watchkeeper erase`, against a running server and on a folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import export, run
from tests.otlp import TRACE
from watchkeeper.kit.settings import ServerSettings
from watchkeeper.server import assemble
from watchkeeper.store.conformance.samples import Maker, stored

USER = "Ada Q. Person"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with two users, no server."""
    services = assemble(ServerSettings(), tmp_path)
    make = Maker()
    stored(services.store, make.span(1, 1, user_id=USER), make.span(2, 1, user_id="other"))
    stored(services.store, Maker("p2").span(3, 1, user_id=USER))
    services.close()
    return tmp_path


@pytest.mark.parametrize("words", [(), ("--user", "a", "--session", "b"), ("--trace", "xyz")])
def test_what_to_erase_must_be_said(words: tuple[str, ...], tmp_path: Path) -> None:
    """No selector, two of them, or a malformed trace id ends with 2 and touches nothing."""
    done = run("erase", *words, "--data-dir", str(tmp_path))

    assert done.returncode == 2
    assert list(tmp_path.iterdir()) == []


def test_without_a_terminal_it_wants_yes(folder: Path) -> None:
    """Where nobody can be asked, it ends with 2, names --yes, and erases nothing."""
    done = run("erase", "--user", USER, "--data-dir", str(folder))

    assert done.returncode == 2
    assert "--yes" in done.stderr
    assert (
        json.loads(run("erase", "--user", USER, "--dry-run", "--json", "--data-dir", str(folder)).stdout)["spans"] == 1
    )


def test_it_erases_on_a_folder_and_writes_an_audit(folder: Path) -> None:
    """The user's trace is gone, in that project alone; the audit has who, how much and no name."""
    report = json.loads(run("erase", "--user", USER, "--yes", "--json", "--data-dir", str(folder)).stdout)
    again = run("erase", "--user", USER, "--yes", "--data-dir", str(folder))
    theirs = run("erase", "--user", USER, "--yes", "--data-dir", str(folder), "--project", "p2")
    audit = (folder / "erasures.jsonl").read_text()
    first = json.loads(audit.splitlines()[0])

    assert (report["traces"], report["spans"]) == (1, 1)
    assert "nothing is stored" in again.stdout
    assert "erased 1 traces, 1 spans" in theirs.stdout
    assert USER not in audit
    assert (first["kind"], first["spans"], first["project"], len(first["sha256"])) == ("user", 1, "default", 64)
    assert first["who"].startswith("cli:")


def test_it_asks_the_running_server(server: tuple[str, Path, object]) -> None:
    """While a server runs the verb erases through it, and the server's own answers follow."""
    url, folder, _ = server
    export(url)
    done = run("erase", "--trace", TRACE, "--yes", "--data-dir", str(folder))
    left = json.loads(run("sql", "select count(*) from spans", "--json", "--data-dir", str(folder)).stdout)

    assert "erased 1 traces" in done.stdout
    assert left["rows"] == [[0]]
