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
    assert table[-3].split() == ["total", "0.7500", "0.0000", "2.2500", "3.0000", "EUR"]
    assert [line.split()[0] for line in table[-2:]] == ["own", "idle"]
    assert [one["idle_nano"] for one in told["hours"]] == ["750000000", "1500000000"]


def test_a_price_is_shown_with_its_reason(tmp_path: Path) -> None:
    """`prices show` prints the price, its source and what the second table says; an unknown model says it is unpriced."""
    known = run("prices", "show", "gpt-4o-mini", "--provider", "openai", "--data-dir", str(tmp_path))
    unknown = run("prices", "show", "[red]none", "--data-dir", str(tmp_path))
    wrong = run("prices", "show", "x", "--at", "soon", "--data-dir", str(tmp_path))

    assert known.stdout.splitlines()[0] == "gpt-4o-mini  agreed"
    assert ["input", "0.15", "0.15"] in [line.split() for line in known.stdout.splitlines()]
    assert unknown.stdout.splitlines()[0] == "[red]none  unpriced"
    assert (unknown.returncode, wrong.returncode) == (0, 2)


def test_called_models_are_checked(folder: Path) -> None:
    """`prices check` says how old tables are, and what of the models that were called has no price."""
    done = run("prices", "check", "--data-dir", str(folder))
    broken = run("prices", "check", "--data-dir", str(folder), WATCHKEEPER_PRICES=str(folder / "none.toml"))

    assert "genai-prices" in done.stdout
    assert "no model was called" in done.stdout or "unpriced" in done.stdout
    assert broken.returncode == 2


def test_rates_are_imported_where_the_server_reads_them(tmp_path: Path) -> None:
    """A file that is none ends with 2 and leaves nothing; the ECB's is put into the data folder."""
    rates = tmp_path / "rates.csv"
    rates.write_text("Date,USD,CHF,\n2026-11-24,1.2500,0.9300,\n")
    wrong = run("prices", "rates", "import", str(tmp_path / "none.csv"), "--data-dir", str(tmp_path / "data"))
    left = (tmp_path / "data").exists()
    done = run("prices", "rates", "import", str(rates), "--data-dir", str(tmp_path / "data"))

    assert (wrong.returncode, left) == (2, False)
    assert done.stdout == "1 days from 2026-11-24 to 2026-11-24, 2 currencies\n"
    assert (tmp_path / "data" / "eurofxref.csv").read_text() == rates.read_text()
