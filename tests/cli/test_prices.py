"""`watchkeeper prices`, on a folder."""

from __future__ import annotations

import json
import time
from pathlib import Path

import msgspec
import pytest

from tests.cli.conftest import run
from watchkeeper.kit.settings import ServerSettings
from watchkeeper.model import RawSpan
from watchkeeper.pricing import HOUR
from watchkeeper.server import assemble
from watchkeeper.store.conformance.samples import Maker, stored

MACHINE = """
[[on_prem]]
name = "gpu"
models = ["house"]
hourly = "1.50"
currency = "EUR"
from = 2026-01-01
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with a call of half an hour, two hours ago, and a price file with a machine."""
    services = assemble(ServerSettings(), tmp_path)
    hour = time.time_ns() // HOUR * HOUR - 2 * HOUR
    call = msgspec.structs.replace(
        Maker().span(1, 1, kind="llm", tokens=999), request_model="house", start_time=hour, duration_ns=HOUR // 2,
        raw=RawSpan(trace_id=f"{1:032x}", span_id=f"{1:016x}", start_time=hour, end_time=hour + HOUR // 2),
    )  # fmt: skip
    stored(services.store, call)
    services.close()
    (tmp_path / "prices.toml").write_text(MACHINE)
    return tmp_path


def test_hours_without_a_machine_are_said_to_be_none(tmp_path: Path) -> None:
    """Where the price file names no machine the answer says so and ends with 0."""
    done = run("prices", "hours", "--data-dir", str(tmp_path))

    assert done.returncode == 0
    assert "no hours" in done.stdout


def test_a_window_that_is_too_long_is_refused(folder: Path) -> None:
    """More than 31 days ends with an error that says so."""
    done = run("prices", "hours", "--since", "90d", "--data-dir", str(folder))

    assert done.returncode == 103
    assert "31 days" in done.stderr


def test_hours_are_shown_with_idle_and_total(folder: Path) -> None:
    """After a backfill the table has the call's share, the idle rest and the total of every hour."""
    words = ("--data-dir", str(folder))
    own = {"WATCHKEEPER_PRICES": str(folder / "prices.toml")}
    priced = json.loads(run("backfill", "prices", "--json", *words, **own).stdout)
    table = run("prices", "hours", *words, **own).stdout.splitlines()
    told = json.loads(run("prices", "hours", "--json", *words, **own).stdout)

    assert priced["changed"] == 1
    assert table[0].split() == ["hour", "pool", "calls", "own", "others", "idle", "cost", "currency"]
    assert table[1].split()[1:] == ["gpu", "1", "0.7500", "0.0000", "0.7500", "1.5000", "EUR"]
    assert table[-1].split() == ["total", "0.7500", "0.0000", "2.2500", "3.0000", "EUR"]
    assert [one["idle_nano"] for one in told["hours"]] == ["750000000", "1500000000"]
