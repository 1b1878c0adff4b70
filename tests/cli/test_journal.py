"""`watchkeeper journal`, against a running server and on a folder; and what erasing says of what it holds."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

import pytest

from tests.cli.conftest import run
from watchkeeper.store.api import WriteBatch
from watchkeeper.store.conformance.samples import Maker
from watchkeeper.store.duckdb.journal import packed_batch, write_entry
from watchkeeper.store.factory import SPANS_FILE

make = Maker()


def set_aside(folder: Path) -> None:
    """Put a refused export of two people, one that nobody can read, and a damaged piece into a folder's journal."""
    journal = folder / f"{SPANS_FILE}.journal"
    journal.mkdir(parents=True, exist_ok=True)
    spans = make.span(1, 1, user_id="ada"), make.span(2, 1, user_id="bob")
    write_entry(journal / "1.refused", 1, packed_batch(WriteBatch(spans=spans)))
    (journal / "2.refused").write_bytes(b"torn")
    (journal / "3.damaged").write_bytes(b"anything")


@pytest.mark.slow
def test_it_is_listed_stored_and_dropped_through_the_server(server: tuple[str, Path, object]) -> None:
    """Against a running server what was set aside is listed, stored after all, and deleted by its name."""
    url, folder, _ = server
    where = ("--data-dir", str(folder))
    set_aside(folder)
    listed = json.loads(run("journal", "list", "--json", *where).stdout)["files"]
    tried = json.loads(run("journal", "retry", "1.refused", "--json", *where).stdout)
    dropped = [run("journal", "drop", name, *where).returncode for name in ("2.refused", "3.damaged")]
    status = json.loads(urllib.request.urlopen(f"{url}/api/v1/status", timeout=30).read())

    assert [(one["name"], one["kind"]) for one in listed] == [
        ("1.refused", "refused"), ("2.refused", "refused"), ("3.damaged", "damaged"),
    ]  # fmt: skip
    assert all(one["until"] > one["since"] for one in listed)
    assert tried == {"name": "1.refused", "outcomes": {"inserted": 2}}
    assert dropped == [0, 0]
    assert (status["spans"], status["journal"]["refused"], status["journal"]["damaged"]) == (2, 0, 0)


@pytest.mark.slow
def test_it_is_listed_and_stored_on_a_folder(tmp_path: Path) -> None:
    """Without a server the folder is opened; what cannot be tried again says so, and which command deletes it."""
    where = ("--data-dir", str(tmp_path))
    set_aside(tmp_path)

    assert "1.refused" in run("journal", "list", *where).stdout
    assert "stored 1.refused: 2 inserted" in run("journal", "retry", "1.refused", *where).stdout
    unread = run("journal", "retry", "2.refused", *where)
    assert unread.returncode == 103
    assert "watchkeeper journal drop 2.refused" in unread.stderr
    assert run("journal", "drop", "../spans.duckdb", *where).returncode != 0
    assert run("journal", "drop", "1.refused", *where).returncode != 0


@pytest.mark.slow
def test_erasing_says_what_it_reached_of_it(tmp_path: Path) -> None:
    """Erasing one person counts what was set aside of them, deletes what nobody can read, and names what stays."""
    set_aside(tmp_path)
    where = ("--data-dir", str(tmp_path))
    done = run("erase", "--user", "ada", "--yes", *where)
    again = json.loads(run("erase", "--user", "bob", "--yes", "--json", *where).stdout)

    assert "1 things that could not be stored, 1 exports that nobody can read" in done.stdout
    assert "watchkeeper journal drop 3.damaged" in done.stderr
    assert (again["set_aside"], again["removed"], again["unreached"]) == (1, [], ["3.damaged"])
    assert [one.name for one in (tmp_path / f"{SPANS_FILE}.journal").iterdir()] == ["3.damaged"]
