"""`watchkeeper users`, with and without a server."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

import pytest

from tests.cli.conftest import run
from tests.serving import serving

ADA = "ada@example.com"
GOOD = "four random words here"


def accept(url: str, link: str) -> int:
    """Use a link as a browser would and return the status."""
    body = json.dumps({"token": link.partition("#")[2], "password": GOOD}).encode()
    sent = {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"}
    with urllib.request.urlopen(urllib.request.Request(f"{url}/api/v1/links/accept", body, sent), timeout=30) as answer:
        return int(answer.status)


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("role", "nobody@example.com", "admin"), "there is no user nobody@example.com"),
        (("reset", "nobody@example.com"), "there is no user"),
        (("disable", "nobody@example.com"), "there is no user"),
        (("invite", "nonsense"), "no e-mail address"),
        (("invite", ADA, "--project", "nowhere"), "no project 'nowhere'"),
    ],
)
def test_what_is_not_there_is_named(tmp_path: Path, words: tuple[str, ...], part: str) -> None:
    """An unknown person or project, or no address at all, is refused in words that name it, and nothing is made."""
    done = run("users", *words, "--data-dir", str(tmp_path))

    assert done.returncode == 103
    assert part in done.stderr
    assert json.loads(run("users", "list", "--json", "--data-dir", str(tmp_path)).stdout) == []


@pytest.mark.slow
def test_a_person_is_invited_managed_and_locked_out(tmp_path: Path) -> None:
    """The link alone is on stdout and lets its address in; role, reset, disable and remove reach the running server."""
    folder = ("--data-dir", str(tmp_path / "data"))
    with serving(tmp_path) as served:
        link = run("users", "invite", ADA, "--role", "admin", *folder).stdout.strip()
        joined = accept(served.url, link)
        shut = served.call("/api/v1/traces")[0]
        roled = run("users", "role", ADA, "viewer", *folder).returncode
        reset = run("users", "reset", ADA, *folder).stdout.strip()
        again = accept(served.url, reset)
        listed = json.loads(run("users", "list", "--json", *folder).stdout)
        table = run("users", "list", *folder).stdout
        run("users", "disable", ADA, *folder)
        locked = json.loads(run("users", "list", "--json", *folder).stdout)[0]["disabled"]
        refused = run("users", "reset", ADA, *folder)
        run("users", "enable", ADA, *folder)
        removed = run("users", "remove", ADA, *folder).returncode
        left = json.loads(run("users", "list", "--json", *folder).stdout)

    assert link.startswith(f"{served.url}/invite#")
    assert (joined, shut, roled, again, removed) == (200, 401, 0, 200, 0)
    assert listed[0]["projects"] == [{"id": "default", "role": "viewer"}]
    assert ADA in table
    assert locked is True
    assert "disabled" in refused.stderr
    assert left[0]["projects"] == []


def test_without_a_server_the_folder_is_enough(tmp_path: Path) -> None:
    """With no server running an invitation is made in the folder, and its path is printed."""
    made = run("users", "invite", ADA, "--data-dir", str(tmp_path), "--json")
    told = run("users", "invite", ADA, "--data-dir", str(tmp_path))

    assert json.loads(made.stdout)["url"].startswith("/invite#")
    assert "No server runs" in told.stderr
    assert told.stdout.startswith("/invite#")
