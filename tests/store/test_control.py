"""Projects, keys, people and sessions."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect

from watchkeeper.kit.errors import NotFoundError, RequestError, StoreFormatError
from watchkeeper.store.control.keys import KeyPair, Scope
from watchkeeper.store.control.secrets import hashed, looks_like_ours, new_secret
from watchkeeper.store.control.tables import HEAD, KNOWN, Base
from watchkeeper.store.control.upgrade import upgrade
from watchkeeper.store.factory import CONTROL_FILE, ControlStore, open_control_store
from watchkeeper.store.prompts import NewPrompt


@pytest.fixture(params=["memory", "sqlite"])
def control(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ControlStore]:
    """An empty control store, in memory and on disk."""
    store = open_control_store(None if request.param == "memory" else tmp_path)
    yield store
    store.close()


HOUR = 3_600 * 10**9


class Hands:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1_800_000_000 * 10**9

    def now_ns(self) -> int:
        return self.now


def found(control: ControlStore, secret: str) -> tuple[str, tuple[str, ...]] | None:
    """Return the project and the scopes that a secret opens."""
    key = control.keys.find(hashed(secret))
    return None if key is None else (key.project, key.scopes)


def make(control: ControlStore, project: str = "p", scopes: tuple[Scope, ...] = ("read",)) -> KeyPair:
    """Make a key in a project that may be new."""
    control.ensure_project(project)
    return control.keys.create(project, scopes)


def test_unknown_secrets_open_nothing(control: ControlStore) -> None:
    """A secret that was never made, empty or odd ones among them, leads nowhere."""
    make(control)
    assert [found(control, secret) for secret in ("", "sk-2", "SK-1", "\ud800")] == [None] * 4


@pytest.mark.parametrize("project", ["", "A", "a b", "../x", "-a", "a" * 64])
def test_bad_project_ids_are_refused(control: ControlStore, project: str) -> None:
    """A project id is 1 to 63 of a-z, 0-9, - and _, beginning with a letter or digit."""
    with pytest.raises(RequestError):
        control.ensure_project(project)
    assert control.projects() == ()


@pytest.mark.parametrize("scopes", [(), ("ingest", "root")])
def test_bad_scopes_are_refused(control: ControlStore, scopes: tuple[Scope, ...]) -> None:
    """A key without scopes, or with an unknown one, is refused."""
    with pytest.raises(RequestError):
        make(control, scopes=scopes)


def test_keys_are_not_taken_twice(control: ControlStore) -> None:
    """A public id or a secret belongs to one key."""
    control.ensure_project("p")
    control.keys.create("p", ("read",), pair=("pk-1", "sk-1"))
    for pair in (("pk-1", "sk-2"), ("pk-2", "sk-1")):
        with pytest.raises(RequestError):
            control.keys.create("p", ("read",), pair=pair)


def test_a_revoked_key_is_dead(control: ControlStore) -> None:
    """A revoked key leads nowhere at once, cannot be revoked again, and not from another project."""
    pair = make(control)
    assert not control.keys.revoke("q", pair.key.public_id)
    assert control.keys.revoke("p", pair.key.public_id)
    assert not control.keys.revoke("p", pair.key.public_id)
    assert not control.keys.revoke("p", "pk-none")
    assert found(control, pair.secret) is None


def test_a_rotated_key_overlaps_its_successor() -> None:
    """Both pairs work for the overlap, then only the new one; the old one cannot be rotated twice."""
    clock = Hands()
    control = open_control_store(None, clock)
    old = make(control, scopes=("ingest", "read"))
    new = control.keys.rotate("p", old.key.public_id, overlap=timedelta(hours=2))
    both = [found(control, old.secret), found(control, new.secret)]
    with pytest.raises(NotFoundError):
        control.keys.rotate("p", old.key.public_id, overlap=timedelta(0))
    with pytest.raises(NotFoundError):
        control.keys.rotate("q", new.key.public_id, overlap=timedelta(0))
    clock.now += 2 * HOUR
    after = [found(control, old.secret), found(control, new.secret)]
    control.close()

    assert both == [("p", ("ingest", "read"))] * 2
    assert after == [None, ("p", ("ingest", "read"))]


def test_a_key_that_ends_by_itself_keeps_its_lifetime_when_rotated() -> None:
    """A key with a lifetime is dead after it, and its successor lives as long again."""
    clock = Hands()
    control = open_control_store(None, clock)
    control.ensure_project("p")
    old = control.keys.create("p", ("read",), lifetime=timedelta(hours=10))
    clock.now += HOUR
    new = control.keys.rotate("p", old.key.public_id, overlap=timedelta(hours=100))
    clock.now += 9 * HOUR
    dead = found(control, old.secret)
    control.close()

    assert dead is None
    assert new.key.expires_at == old.key.created_at + 11 * HOUR


def test_use_is_noted_coarsely() -> None:
    """The first use is noted, a second within ten minutes is not, a later one is."""
    clock = Hands()
    control = open_control_store(None, clock)
    pair = make(control)
    noted = []
    for minutes in (0, 5, 6):
        clock.now += minutes * 60 * 10**9
        found(control, pair.secret)
        noted.append(control.keys.list("p")[0].last_used_at)
    control.close()

    assert noted[0] == noted[1]
    assert noted[2] == clock.now


def test_a_key_names_its_project_and_scopes(control: ControlStore) -> None:
    """A key leads to its project with its scopes; the project is made where it is missing, once."""
    assert control.ensure_project("p", "A name")
    assert not control.ensure_project("p")
    pair = make(control, scopes=("read", "ingest", "read"))
    assert found(control, pair.secret) == ("p", ("ingest", "read"))
    assert control.projects() == ("p",)


def test_secrets_are_told_from_look_alikes() -> None:
    """A secret of ours has our prefix, 256 bits and a checksum, by which a typo or a look-alike is found out."""
    secret = new_secret()
    typo = secret[:-1] + ("a" if secret[-1] != "a" else "b")

    assert looks_like_ours(secret)
    assert not any(looks_like_ours(other) for other in (typo, secret[:-1], "sk-" + secret, "", "sk-wk-" + "é" * 49))


def test_no_secret_is_written(tmp_path: Path) -> None:
    """The file holds hashes, never a key's secret nor a link's or a session's token."""
    store = open_control_store(tmp_path)
    pair = make(store)
    user = store.people.add("ada@example.com", "Ada", "argon2-hash", "p", "admin")
    _, link = store.people.invite("p", "bob@example.com", "viewer", by="ada", lifetime=timedelta(days=1))
    session = store.sessions.start(user.id, "a browser")
    store.close()
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())

    assert not any(secret.encode() in written for secret in (pair.secret, link, session))


def test_keys_survive(tmp_path: Path) -> None:
    """Keys are there after reopening."""
    store = open_control_store(tmp_path)
    pair = make(store, scopes=("admin",))
    store.close()
    again = open_control_store(tmp_path)
    assert found(again, pair.secret) == ("p", ("admin",))
    again.close()


def test_keys_of_the_first_release_still_work(tmp_path: Path) -> None:
    """A file of revision 0001 is brought up to date, and its keys open what they opened."""
    engine = create_engine(f"sqlite:///{tmp_path / CONTROL_FILE}")
    upgrade(engine, "0001")
    with engine.begin() as raw:
        raw.exec_driver_sql("INSERT INTO projects VALUES ('p', 'p', '2026-01-01 00:00:00.000000')")
        raw.exec_driver_sql(
            "INSERT INTO api_keys VALUES ('1', 'p', 'pk-1', ?, 'ingest', '2026-01-01 00:00:00.000000', NULL)",
            (hashed("sk-old"),),
        )
    engine.dispose()
    store = open_control_store(tmp_path)
    opened = found(store, "sk-old")
    store.close()

    assert opened == ("p", ("ingest",))


@pytest.mark.parametrize("revision", KNOWN)
def test_a_file_of_any_revision_takes_prompts(tmp_path: Path, revision: str) -> None:
    """A file of an earlier revision, with a project in it, keeps prompts once it is opened."""
    engine = create_engine(f"sqlite:///{tmp_path / CONTROL_FILE}")
    upgrade(engine, revision)
    with engine.begin() as raw:
        raw.exec_driver_sql("INSERT INTO projects VALUES ('p', 'p', '2026-01-01 00:00:00.000000')")
    engine.dispose()
    store = open_control_store(tmp_path)
    store.prompts.add("p", NewPrompt(name="n", type="text", content="x"))
    store.close()
    store = open_control_store(tmp_path)
    kept = store.prompts.find("p", "n", label="latest")
    store.close()

    assert kept is not None
    assert kept.content == "x"


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
