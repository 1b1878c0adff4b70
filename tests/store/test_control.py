"""Projects and keys."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect

from watchkeeper.kit.errors import RequestError, StoreFormatError
from watchkeeper.store.control.tables import HEAD, Base
from watchkeeper.store.factory import CONTROL_FILE, ControlStore, open_control_store


@pytest.fixture(params=["memory", "sqlite"])
def control(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ControlStore]:
    """An empty control store, in memory and on disk."""
    store = open_control_store(None if request.param == "memory" else tmp_path)
    yield store
    store.close()


def test_unknown_secrets_have_no_project(control: ControlStore) -> None:
    """A secret that was never added, empty or odd ones among them, leads nowhere."""
    control.add_key("p", "pk-1", "sk-1", ("ingest",))
    assert [control.project_for_secret(secret) for secret in ("", "sk-2", "SK-1", "\ud800")] == [None] * 4


@pytest.mark.parametrize("project", ["", "A", "a b", "../x", "-a", "a" * 64])
def test_bad_project_ids_are_refused(control: ControlStore, project: str) -> None:
    """A project id is 1 to 63 of a-z, 0-9, - and _, beginning with a letter or digit."""
    with pytest.raises(RequestError):
        control.ensure_project(project)
    assert control.projects() == ()


@pytest.mark.parametrize("scopes", [(), ("ingest", "root")])
def test_bad_scopes_are_refused(control: ControlStore, scopes: tuple[str, ...]) -> None:
    """A key without scopes, or with an unknown one, is refused."""
    with pytest.raises(RequestError):
        control.add_key("p", "pk", "sk", scopes)  # type: ignore[arg-type]


def test_keys_are_not_taken_twice(control: ControlStore) -> None:
    """A public id or a secret belongs to one key."""
    control.add_key("p", "pk-1", "sk-1", ("read",))
    for public, secret in (("pk-1", "sk-2"), ("pk-2", "sk-1")):
        with pytest.raises(RequestError):
            control.add_key("q", public, secret, ("read",))


def test_a_revoked_key_is_dead(control: ControlStore) -> None:
    """A revoked key leads nowhere at once, and cannot be revoked again."""
    control.add_key("p", "pk-1", "sk-1", ("read",))
    assert control.revoke_key("pk-1")
    assert not control.revoke_key("pk-1")
    assert not control.revoke_key("pk-none")
    assert control.project_for_secret("sk-1") is None


def test_a_key_names_its_project_and_scopes(control: ControlStore) -> None:
    """A key leads to its project with its scopes; the project is made where it is missing, once."""
    control.ensure_project("p", "A name")
    control.add_key("p", "pk-1", "sk-1", ("read", "ingest", "read"))
    assert control.project_for_secret("sk-1") == ("p", frozenset({"read", "ingest"}))
    assert control.projects() == ("p",)


def test_no_secret_is_written(tmp_path: Path) -> None:
    """The file holds the secret's hash, never the secret."""
    store = open_control_store(tmp_path)
    store.add_key("p", "pk-1", "sk-very-secret", ("admin",))
    store.close()
    assert not any(b"sk-very-secret" in path.read_bytes() for path in tmp_path.iterdir())


def test_keys_survive(tmp_path: Path) -> None:
    """Keys are there after reopening."""
    store = open_control_store(tmp_path)
    store.add_key("p", "pk-1", "sk-1", ("admin",))
    store.close()
    again = open_control_store(tmp_path)
    assert again.project_for_secret("sk-1") == ("p", frozenset({"admin"}))
    again.close()


@pytest.mark.parametrize("revision", ["9999", "abcd"])
def test_a_newer_revision_is_refused(tmp_path: Path, revision: str) -> None:
    """A file of a newer release is refused."""
    open_control_store(tmp_path).close()
    with sqlite3.connect(tmp_path / CONTROL_FILE) as raw:
        raw.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    raw.close()
    with pytest.raises(StoreFormatError):
        open_control_store(tmp_path)


def test_a_strange_file_is_refused(tmp_path: Path) -> None:
    """A database of someone else is left alone."""
    with sqlite3.connect(tmp_path / CONTROL_FILE) as raw:
        raw.execute("CREATE TABLE mine (a)")
    raw.close()
    with pytest.raises(StoreFormatError):
        open_control_store(tmp_path)


def test_migrations_make_the_models(tmp_path: Path) -> None:
    """The migrated file has the models' tables, columns and indexes, and is at the newest revision."""
    open_control_store(tmp_path).close()
    engine = create_engine(f"sqlite:///{tmp_path / CONTROL_FILE}")
    found = inspect(engine)
    for table in Base.metadata.sorted_tables:
        assert {one["name"]: one["nullable"] for one in found.get_columns(table.name)} == {
            column.name: column.nullable for column in table.columns
        }
        assert {one["name"] for one in found.get_indexes(table.name)} == {index.name for index in table.indexes}
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == HEAD
    engine.dispose()


def test_an_up_to_date_file_needs_no_alembic(tmp_path: Path) -> None:
    """Opening a file that is up to date does not import Alembic: it would delay every start."""
    open_control_store(tmp_path).close()
    code = (
        "import sys; from pathlib import Path\n"
        "from watchkeeper.store.factory import open_control_store\n"
        "open_control_store(Path(sys.argv[1])).close()\n"
        "sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False, timeout=60).returncode == 0
