"""`watchkeeper keys`, with and without a server."""

from __future__ import annotations

import json
import stat
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.cli.conftest import run
from watchkeeper.server import announced
from watchkeeper.store.control.secrets import looks_like_ours

Server = tuple[str, Path, object]


def status_of(url: str, **headers: str) -> int:
    """Ask for the trace list and return the status."""
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url + "/api/v1/traces", headers=headers), timeout=30
        ) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_an_unknown_key_cannot_be_revoked(tmp_path: Path) -> None:
    """Revoking what is not there ends with an error that says so, and changes nothing."""
    done = run("keys", "revoke", "pk-wk-none", "--data-dir", str(tmp_path))

    assert done.returncode == 103
    assert "no live key" in done.stderr


def test_a_scope_is_needed(tmp_path: Path) -> None:
    """A key without a scope, or with an unknown one, is refused by name."""
    bare = run("keys", "create", "--data-dir", str(tmp_path))
    odd = run("keys", "create", "--scope", "root", "--data-dir", str(tmp_path))

    assert (bare.returncode, odd.returncode) == (2, 2)
    assert "--scope" in bare.stderr
    assert "root" in odd.stderr


@pytest.mark.parametrize("is_running", [True, False])
def test_the_secret_stands_alone_on_stdout(server: Server, tmp_path: Path, *, is_running: bool) -> None:
    """What a script catches from `create` and `rotate` is the secret and nothing else; lists never show it."""
    folder = server[1] if is_running else tmp_path / "other"
    where = ("--project", "acme", "--data-dir", str(folder))
    made = run("keys", "create", "--scope", "read", "--name", "bot", *where)
    listed = json.loads(run("keys", "list", "--json", *where).stdout)
    rotated = run("keys", "rotate", listed[0]["public_id"], *where)
    table = run("keys", "list", *where).stdout

    assert looks_like_ours(made.stdout.strip())
    assert looks_like_ours(rotated.stdout.strip())
    assert made.stdout.strip() not in table + json.dumps(listed)
    assert [(key["name"], key["scopes"], key["project"]) for key in listed] == [("bot", ["read"], "acme")]
    assert "then pk-wk-" in table


def test_a_key_made_beside_the_server_works_in_it_until_it_is_revoked(server: Server) -> None:
    """`keys create` speaks to the running server: the key opens its project at once, and nothing once revoked."""
    url, folder, _ = server
    made = json.loads(run("keys", "create", "-s", "read", "-p", "acme", "--json", "--data-dir", str(folder)).stdout)
    sent = {"Authorization": f"Bearer {made['secret']}"}
    good = status_of(url, **sent)
    done = run("keys", "revoke", made["public_id"], "-p", "acme", "--data-dir", str(folder), "--json")

    assert good == 200
    assert json.loads(done.stdout) == {"public_id": made["public_id"], "revoked": True}
    assert status_of(url, **sent) == 401


def test_only_who_may_read_the_folder_has_the_proof(server: Server) -> None:
    """The lockfile is its owner's alone; its proof opens, and a guessed one does not."""
    url, folder, _ = server
    found = announced(folder)

    assert found is not None
    assert stat.S_IMODE((folder / "server.lock").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert status_of(url, **{"X-Watchkeeper-Proof": found.proof or ""}) == 200
    assert status_of(url, **{"X-Watchkeeper-Proof": "guessed"}) == 401


def test_another_server_is_asked_with_an_admin_key(server: Server) -> None:
    """With --url the key in WATCHKEEPER_API_KEY decides: an admin key may make others, a reader may not."""
    url, folder, _ = server
    admin, reader = (
        run("keys", "create", "-s", scope, "-p", "acme", "--data-dir", str(folder)).stdout.strip()
        for scope in ("admin", "read")
    )
    words = ("keys", "create", "-s", "ingest", "-p", "acme", "--url", url)

    assert looks_like_ours(run(*words, WATCHKEEPER_API_KEY=admin).stdout.strip())
    assert run(*words, WATCHKEEPER_API_KEY=reader).returncode == 103
