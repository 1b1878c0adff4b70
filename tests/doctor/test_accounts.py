"""WKD32x and WKD33x: a server without an admin, and keys that end."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.doctor.conftest import bad, found, look
from watchkeeper.store.factory import open_control_store

BEYOND = {"WATCHKEEPER_HOST": "0.0.0.0", "WATCHKEEPER_SECRET_KEY": "sk-0123456789abcdef"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with keys: one for good, one that ends in a week, one that ended, one with a successor."""
    made = tmp_path / "data"
    control = open_control_store(made)
    control.ensure_project("default")
    for name in ("good", "week", "past", "replaced"):
        control.keys.create("default", ("ingest",), pair=(f"pk-{name}", f"sk-{name}-0123456789abcdef"))
    control.close()
    made.chmod(0o700)
    now = datetime.now(UTC).replace(tzinfo=None)
    _write(made, *(
        ("UPDATE api_keys SET expires_at = ? WHERE public_id = ?", ((now + timedelta(days=days)).isoformat(" "), name))
        for name, days in (("pk-week", 7), ("pk-past", -1), ("pk-replaced", 3))
    ))  # fmt: skip
    _write(made, ("UPDATE api_keys SET replaced_by = 'pk-good' WHERE public_id = 'pk-replaced'", ()))
    return made


def _write(folder: Path, *statements: tuple[str, tuple[str, ...]]) -> None:
    with sqlite3.connect(folder / "control.sqlite") as file:
        for text, values in statements:
            file.execute(text, values)
    file.close()


def _person(folder: Path, role: str) -> None:
    _write(
        folder,
        ("INSERT INTO users (id, email, name, created_at) VALUES ('u1', 'ada@example.org', 'Ada', '2026-01-01 00:00:00')", ()),
        ("INSERT INTO memberships VALUES ('u1', 'default', ?, '2026-01-01 00:00:00')", (role,)),
    )  # fmt: skip


def test_only_a_key_that_is_in_use_and_ends_is_told(folder: Path) -> None:
    """The one that ends in a week is named with its command; those that ended, were replaced or never end are not."""
    told = found(look(folder), "WKD331")

    assert told.where == "pk-week"
    assert told.mend == "watchkeeper keys rotate pk-week --project default"
    _write(folder, ("UPDATE api_keys SET expires_at = NULL", ()))
    assert found(look(folder), "WKD330")


def test_people_without_an_admin_are_told(folder: Path) -> None:
    """Where somebody may sign in and nobody is an admin, the command that makes the first person one is given."""
    _person(folder, "member")
    told = found(look(folder), "WKD321")

    assert told.mend == "watchkeeper users role ada@example.org admin"
    _write(folder, ("UPDATE memberships SET role = 'admin'", ()))
    assert "1 of them admins" in found(look(folder), "WKD320").what
    _write(folder, ("UPDATE users SET disabled_at = '2026-01-02 00:00:00'", ()))
    assert "0 may sign in" in found(look(folder), "WKD320").what


def test_nobody_with_an_account_beyond_loopback_is_told(folder: Path) -> None:
    """A server that others reach and nobody can sign in to is a warning; on loopback it is well."""
    assert "WKD322" in bad(look(folder, BEYOND))
    assert "WKD322" not in bad(look(folder))
    _person(folder, "admin")
    assert "WKD322" not in bad(look(folder, BEYOND))


def test_a_control_store_of_an_earlier_release_is_no_fault(tmp_path: Path) -> None:
    """A file without people, or one that cannot be read, breaks nothing here."""
    for name, text in (("old", "CREATE TABLE alembic_version (version_num TEXT)"), ("none", "SELECT 1")):
        (tmp_path / name).mkdir(mode=0o700)
        _write(tmp_path / name, (text, ()))
    (tmp_path / "none" / "control.sqlite").write_bytes(b"noise" * 1000)

    assert "0 may sign in" in found(look(tmp_path / "old"), "WKD320").what
    assert not {"WKD001", "WKD320"} & {one.id for one in look(tmp_path / "none").findings}
