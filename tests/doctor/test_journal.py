"""WKD72x and WKD73x: what was set aside, whose the journal is, and how old the last backup is."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import pytest

from tests.cli.conftest import run
from tests.doctor.conftest import bad, found, look
from tests.store.test_journal_owner import left_behind
from watchkeeper.kit.settings import ServerSettings
from watchkeeper.server import assemble
from watchkeeper.server.backup import BACKUP_FILE

DAY = 86_400


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with an empty store, no server."""
    made = tmp_path / "data"
    made.mkdir(mode=0o700)
    assemble(ServerSettings(), made).close()
    return made


def test_what_was_set_aside_is_told_with_its_verbs(folder: Path) -> None:
    """Refused exports and damaged pieces are warnings with their number and the command for the first of each."""
    assert found(look(folder), "WKD720")
    journal = folder / "spans.duckdb.journal"
    (journal / "7.refused").write_bytes(b"12345")
    (journal / "8.damaged").write_bytes(b"1")
    report = look(folder)
    refused = found(report, "WKD721")

    assert "1 refused, 5 bytes" in refused.what
    assert "watchkeeper journal retry 7.refused" in str(refused.mend)
    assert "watchkeeper journal drop 8.damaged" in str(found(report, "WKD722").mend)
    assert "WKD720" not in {one.id for one in report.findings}


def test_another_stores_journal_is_told_before_the_start(folder: Path, tmp_path: Path) -> None:
    """A journal that would stop the server is a failure with the command that moves it, and looking changes nothing."""
    left = left_behind(tmp_path / "other", tmp_path / "left", 2)
    journal = folder / "spans.duckdb.journal"
    shutil.copytree(left / "spans.duckdb.journal", journal, dirs_exist_ok=True)
    names = sorted(path.name for path in journal.iterdir())
    report = look(folder)

    assert found(report, "WKD723").mend == f"mv {journal} {journal}.other"
    assert report.exit_code == 103
    assert names == sorted(path.name for path in journal.iterdir())


def test_its_own_journal_that_waits_is_well(tmp_path: Path) -> None:
    """What a killed server left in its own journal is stored by the next start, and nothing to warn of."""
    left = left_behind(tmp_path / "one", tmp_path / "left", 2, 3)

    assert found(look(left), "WKD720")
    assert "WKD723" not in {one.id for one in look(left).findings}


@pytest.mark.slow
def test_a_backup_is_noted_and_ages(folder: Path, tmp_path: Path) -> None:
    """A young folder needs none yet, an old one does; one that was taken is recent for a week, and then it is not."""
    young = found(look(folder), "WKD730").what
    old = found(look(folder, now=lambda: time.time() + 30 * DAY), "WKD732")
    done = run("backup", str(tmp_path / "b.zip"), "--data-dir", str(folder))
    taken = json.loads((folder / BACKUP_FILE).read_bytes())["taken_at"]

    assert "none yet" in young
    assert old.mend is not None
    assert old.mend.startswith("watchkeeper backup ")
    assert done.returncode == 0
    assert taken.startswith("20")
    assert "the last one is 0 days old" in found(look(folder), "WKD730").what
    assert "the last one is 8 days old" in found(look(folder, now=lambda: time.time() + 8.5 * DAY), "WKD731").what


def test_a_note_nobody_can_read_counts_as_none(folder: Path) -> None:
    """A record of backups that is damaged is no backup."""
    (folder / BACKUP_FILE).write_bytes(b"{")
    for path in folder.iterdir():
        os.utime(path, (time.time() - 20 * DAY, time.time() - 20 * DAY))

    assert "WKD732" in bad(look(folder))


def test_what_a_restore_moved_aside_is_told(folder: Path) -> None:
    """An old folder's files, which nothing deletes by itself, are a warning with the command that does."""
    aside = folder / "before-restore-20261125T100000"
    aside.mkdir()

    assert found(look(folder), "WKD733").mend == f"rm -r {aside}"
