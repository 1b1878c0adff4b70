"""`watchkeeper backfill prices`, against a running server and on a folder."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from tests.cli.conftest import export, run
from watchkeeper.kit.settings import ServerSettings
from watchkeeper.server import assemble
from watchkeeper.store.conformance.samples import Maker, stored

PRICES = '[[price]]\nmodel = "house"\nfrom = 2026-01-01\ninput = "1"\noutput = "1"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with three calls without a price, one of another project, and no server."""
    services = assemble(ServerSettings(), tmp_path)
    make = Maker()
    calls = [make.span(number, 1, kind="llm", tokens=999) for number in (1, 2, 3)]
    calls.append(Maker("p2").span(4, 1, kind="llm", tokens=1))
    stored(services.store, *(msgspec.structs.replace(one, request_model="house", model="house") for one in calls))
    services.close()
    (tmp_path / "prices.toml").write_text(PRICES)
    return tmp_path


@pytest.mark.parametrize("words", [("--since", "soon"), ("--until", "2026-13-01"), ("--since", "7y")])
def test_a_time_must_be_one(words: tuple[str, ...], tmp_path: Path) -> None:
    """What is no time, day or age ends with 2 and opens nothing."""
    done = run("backfill", "prices", *words, "--data-dir", str(tmp_path))

    assert done.returncode == 2
    assert words[0] in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_price_file_ends_it(folder: Path) -> None:
    """A price file with an error ends it with 2 and names the place."""
    (folder / "prices.toml").write_text("[[price]]\nmodel = 1\n")
    done = run("backfill", "prices", "--data-dir", str(folder), WATCHKEEPER_PRICES=str(folder / "prices.toml"))

    assert done.returncode == 2
    assert "prices.toml" in done.stderr


def test_it_prices_a_folder_and_says_before_and_after(folder: Path) -> None:
    """On a folder it tries first, then prices, then finds nothing left to do."""
    words = ("backfill", "prices", "--data-dir", str(folder))
    own = {"WATCHKEEPER_PRICES": str(folder / "prices.toml")}
    tried = run(*words, "--dry-run", **own)
    done = json.loads(run(*words, "--json", **own).stdout)
    again = run(*words, **own)

    assert "3 of 3 calls would change" in tried.stdout
    assert "after   0.003000 USD" in tried.stdout
    assert (done["changed"], done["before_nano_usd"], done["after_nano_usd"]) == (3, 0, 3_000_000)
    assert "0 of 3 calls changed" in again.stdout


def test_it_asks_the_running_server(server: tuple[str, Path, object]) -> None:
    """While a server runs the verb prices through it, and a project that is not there is an error."""
    url, folder, _ = server
    export(url)
    done = json.loads(run("backfill", "prices", "--json", "--data-dir", str(folder)).stdout)
    named = run("backfill", "prices", "--data-dir", str(folder), "--project", "p2")

    assert (done["calls"], done["changed"]) == (1, 0)
    assert done["before_nano_usd"] == done["after_nano_usd"] > 0
    assert named.returncode != 0
    assert "p2" in named.stderr


def test_mapping_anew_says_what_changes(folder: Path) -> None:
    """On a folder it tries first and names the fields, then maps, then finds nothing that an older mapper read."""
    words = ("backfill", "mapping", "--data-dir", str(folder))
    tried = run(*words, "--dry-run")
    done = json.loads(run(*words, "--json").stdout)
    again = run(*words)

    assert "3 of 3 spans would change" in tried.stdout
    assert "  kind 3" in tried.stdout
    assert (done["spans"], done["changed"], done["missed"], done["fields"]["kind"]) == (3, 3, 0, 3)
    assert "0 of 0 spans changed" in again.stdout


def test_mapping_asks_the_running_server(server: tuple[str, Path, object]) -> None:
    """While a server runs the verb maps through it; what that server read itself is read alike."""
    url, folder, _ = server
    export(url)
    done = json.loads(run("backfill", "mapping", "--all", "--json", "--data-dir", str(folder)).stdout)

    assert (done["spans"], done["changed"]) == (1, 0)
