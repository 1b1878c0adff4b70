"""Set-up from the environment, what the server refuses to listen on, and which proxies it believes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.serving import free_port, serving
from watchkeeper.kit.errors import ConfigError
from watchkeeper.kit.settings import ServerSettings
from watchkeeper.server import assemble
from watchkeeper.server.bootstrap import bootstrap
from watchkeeper.server.passwords import Passwords
from watchkeeper.store.control.secrets import hashed
from watchkeeper.store.factory import ControlStore, open_control_store

SECRET = "sk-" + "a1" * 20
NEXT = "sk-" + "b2" * 20
KEY = {"bootstrap_public_key": "pk-first", "bootstrap_secret_key": SECRET}
ADMIN = {"bootstrap_admin_email": "Ada@Example.com", "bootstrap_admin_password": "four random words here"}


@pytest.fixture
def control(tmp_path: Path) -> ControlStore:
    """An empty control store."""
    return open_control_store(tmp_path)


@pytest.mark.parametrize(
    ("given", "part"),
    [
        ({"bootstrap_public_key": "pk-a"}, "PUBLIC_KEY and a SECRET_KEY"),
        ({"bootstrap_secret_key": SECRET}, "PUBLIC_KEY and a SECRET_KEY"),
        ({"bootstrap_public_key": "pk-a", "bootstrap_secret_key": "sk-short"}, "32 characters"),
        ({"bootstrap_public_key": "a", "bootstrap_secret_key": SECRET}, "begins with pk-"),
        ({**KEY, "bootstrap_scopes": "ingest,root"}, "root"),
        ({**KEY, "bootstrap_project": "Not A Project"}, "not a project id"),
        ({"bootstrap_admin_email": "ada@example.com"}, "ADMIN_PASSWORD"),
        ({**ADMIN, "bootstrap_admin_password": "short"}, "12 to 1024 characters"),
        ({**ADMIN, "bootstrap_admin_email": "nonsense"}, "no e-mail address"),
        ({"bootstrap_public_key": "pk-a", "bootstrap_secret_key": "file:/nowhere/key"}, "/nowhere/key cannot be read"),
    ],
)
def test_half_a_bootstrap_is_refused(control: ControlStore, given: dict[str, str], part: str) -> None:
    """A key or admin without its other half, too weak, or from a file that is not there, stops the start by name."""
    with pytest.raises(ConfigError, match=r"WATCHKEEPER_BOOTSTRAP_\*") as refused:
        bootstrap(control, ServerSettings(**given))  # type: ignore[arg-type]

    assert part in str(refused.value)
    assert not control.people.any_account()
    assert not control.keys.any_live()


def test_a_bootstrap_again_changes_nothing_but_what_it_names(control: ControlStore, tmp_path: Path) -> None:
    """The same settings twice make one key and one admin; a new secret replaces the old, a changed password stays."""
    (tmp_path / "secret").write_text(NEXT + "\n")
    first = ServerSettings(**KEY, **ADMIN, bootstrap_project="acme")  # type: ignore[arg-type]
    bootstrap(control, first)
    ada = control.people.by_email("ada@example.com")
    assert ada is not None
    control.people.set_password(ada.id, "chosen by Ada")
    bootstrap(control, first)
    second = {**KEY, "bootstrap_secret_key": f"file:{tmp_path / 'secret'}"}
    bootstrap(control, ServerSettings(**second, **ADMIN, bootstrap_project="acme"))  # type: ignore[arg-type]
    after = control.people.by_email("ada@example.com")

    assert [key.public_id for key in control.keys.list("acme")] == ["pk-first"]
    assert control.keys.find(hashed(SECRET)) is None
    assert control.keys.find(hashed(NEXT)) is not None
    assert after is not None
    assert (after.password_hash, after.roles) == ("chosen by Ada", {"acme": "admin"})


def test_a_revoked_bootstrap_key_stays_revoked(control: ControlStore) -> None:
    """A restart with the same settings does not bring a revoked key back, whatever secret it names."""
    bootstrap(control, ServerSettings(**KEY))  # type: ignore[arg-type]
    control.keys.revoke("default", "pk-first")
    bootstrap(control, ServerSettings(**{**KEY, "bootstrap_secret_key": NEXT}))  # type: ignore[arg-type]

    assert control.keys.find(hashed(SECRET)) is None
    assert control.keys.find(hashed(NEXT)) is None


def test_passwords_are_argon2id() -> None:
    """A password is kept as argon2id with 64 MiB, and one that was hashed with less is known as outdated."""
    passwords = Passwords()
    kept = passwords.hash("four random words here")
    weak = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$1hRNXYuNPIkzTkBcMaEFSQ"

    assert kept.startswith("$argon2id$v=19$m=65536,t=3,")
    assert passwords.verify(kept, "four random words here")
    assert not passwords.verify(kept, "four random words her")
    assert not passwords.verify(None, "nobody has this password")
    assert (passwords.outdated(kept), passwords.outdated(weak)) == (False, True)


def test_an_unknown_way_to_authenticate_is_refused(tmp_path: Path) -> None:
    """WATCHKEEPER_AUTH takes two words; another stops the start, and no store stays open."""
    with pytest.raises(ConfigError, match="WATCHKEEPER_AUTH"):
        assemble(ServerSettings(auth="off"), tmp_path)


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_nothing_wider_than_loopback_without_authentication(tmp_path: Path, host: str) -> None:
    """Asked to listen to everyone while nobody could prove who they are, the server ends with what to do."""
    command = [sys.executable, "-m", "watchkeeper.cli", "serve", "--host", host, "--port", str(free_port())]
    command += ["--grpc-port", "0", "--data-dir", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 2
    assert "without authentication" in done.stderr
    assert "watchkeeper keys create" in done.stderr


@pytest.mark.slow
def test_only_named_proxies_are_believed(tmp_path: Path) -> None:
    """X-Forwarded-For from anyone else opens nothing; from a named proxy it names the caller, who then needs a key."""
    claims = {"X_Forwarded_For": "127.0.0.1"}
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    with serving(tmp_path / "one") as served:
        plain = served.call("/api/v1/traces")[0]
        claimed = served.call("/api/v1/traces", None, None, **claims)[0]
        rebound = served.call("/api/v1/traces", None, None, Host="evil.example")[0]
    with serving(tmp_path / "two", projects=("acme",), environ={"WATCHKEEPER_TRUSTED_PROXIES": "127.0.0.1"}) as served:
        behind = served.call("/api/v1/traces", None, None, **claims)[0]
        bare = served.call("/api/v1/traces")[0]
        keyed = served.call("/api/v1/traces", None, "acme", **claims)[0]

    assert (plain, claimed, rebound) == (200, 401, 401)
    assert (behind, bare, keyed) == (401, 401, 200)


@pytest.mark.slow
def test_required_means_loopback_too(tmp_path: Path) -> None:
    """With WATCHKEEPER_AUTH=required neither reading nor sending works without a key, though health still answers."""
    with serving(tmp_path, projects=("acme",), environ={"WATCHKEEPER_AUTH": "required"}) as served:
        body = {"Content_Type": "application/x-protobuf"}
        codes = [
            served.call("/api/v1/traces")[0],
            served.call("/v1/traces", b"", None, **body)[0],
            served.call("/v1/traces", b"", "acme", **body)[0],
            served.call("/healthz")[0],
        ]

    assert codes == [401, 401, 200, 200]
