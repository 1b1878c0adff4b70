"""Money of other countries, by the rate of its day."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.kit.errors import ConfigError
from watchkeeper.pricing.exchange import PACKAGED_RATES, Dollars, Exchange, Quote, read_table

EXCHANGE = Exchange()


def ns(text: str) -> int:
    """Return a moment."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 10**9


def test_the_shipped_rates_say_their_days() -> None:
    """The shipped table begins in 2024, and its last day is one the file names."""
    table = read_table(PACKAGED_RATES)

    assert table.first == "2024-01-02"
    assert table.last >= "2026-10-30"


def test_an_amount_is_turned_by_the_rate_of_its_day() -> None:
    """The ECB's rates of 30 October 2026: 1.1172 dollars a euro, and 0.8338 pounds."""
    euro, pound = (EXCHANGE.dollars(name, ns("2026-10-30T23:59:59")) for name in ("EUR", "GBP"))

    assert euro is not None
    assert pound is not None
    assert euro.of(1_000_000_000) == 1_117_200_000
    assert pound.of(1_000_000_000) == round(1.1172 / 0.8338 * 10**9)
    assert euro.day == "2026-10-30"


def test_a_weekend_has_fridays_rate() -> None:
    """Sunday's calls are turned by the last rate before them."""
    sunday = EXCHANGE.dollars("EUR", ns("2026-10-25T12:00"))

    assert sunday is not None
    assert sunday.day == "2026-10-23"


@pytest.mark.parametrize(("currency", "when"), [("EUR", "2019-01-01"), ("EUR", "2036-01-01"), ("XAU", "2026-10-30")])
def test_a_day_or_currency_nobody_knows_has_no_rate(currency: str, when: str) -> None:
    """Before the table, long after it, or a currency it lacks: no rate, not a guess."""
    assert EXCHANGE.dollars(currency, ns(when)) is None


def test_your_own_rate_wins_from_its_day_on() -> None:
    """A rate of your own beats the ECB's from its day, and not before it."""
    exchange = Exchange((Quote("EUR", ns("2026-06-01"), 1_200_000, "2026-06-01"),))
    before, after = (exchange.dollars("EUR", ns(day)) for day in ("2026-05-29", "2026-07-01"))

    assert before is not None
    assert after is not None
    assert (before.source, after.source) == ("ECB", "your price file")
    assert after.of(10) == 12


@pytest.mark.parametrize("packed", [False, True])
def test_an_imported_file_is_newer(tmp_path: Path, *, packed: bool) -> None:
    """An imported ECB file, plain or zipped, historic or daily, gives the days the shipped one lacks."""
    text = "Date, USD, JPY, \n24 November 2026, 1.2000, 170.00, \n"
    path = tmp_path / "eurofxref.csv"
    if packed:
        with zipfile.ZipFile(path, "w") as out:
            out.writestr("eurofxref.csv", text)
    else:
        path.write_text(text)
    exchange = Exchange((), path)
    new, old = (exchange.dollars("EUR", ns(day)) for day in ("2026-11-24", "2026-10-30"))

    assert new is not None
    assert old is not None
    assert (new.of(10), new.day, old.day) == (12, "2026-11-24", "2026-10-30")


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "Date,USD\nsoon,1.1\n", "Date,USD\n2026-01-01,1.x1\n"])
def test_a_file_of_another_form_is_refused(tmp_path: Path, text: str) -> None:
    """What is not the ECB's form is an error that names the file."""
    path = tmp_path / "rates.csv"
    path.write_text(text)

    with pytest.raises(ConfigError, match=r"rates\.csv"):
        read_table(path)


@given(st.integers(0, 10**15), st.integers(1, 10**9), st.integers(1, 10**9))
def test_there_and_back_is_close(nano: int, multiply: int, divide: int) -> None:
    """An amount turned into dollars and back differs by no more than a rounding of each step."""
    rate = Dollars(multiply, divide, "", "")
    dollars = rate.of(nano)

    if dollars is not None:
        assert abs(rate.into(dollars) - nano) <= divide // (2 * multiply) + 1
