"""WKD8xx."""

from __future__ import annotations

import time
from pathlib import Path

from tests.doctor.conftest import bad, found, look

_YEAR = 365 * 86_400


def test_a_year_later_prices_and_rates_are_old(tmp_path: Path) -> None:
    """By a clock that is a year on, the shipped prices and exchange rates are called old; by today's they are not."""
    later = look(tmp_path / "new", now=lambda: time.time() + _YEAR)

    assert {"WKD801", "WKD811"} <= bad(later)
    assert not bad(look(tmp_path / "new")) & {"WKD801", "WKD811"}


def test_a_price_file_that_is_wrong_fails(tmp_path: Path) -> None:
    """Your own prices with a mistake fail with what is wrong in which file, before a server refuses to start."""
    prices = tmp_path / "prices.toml"
    prices.write_text("[[price]]\nmodel = 'm'\nfrom = 'yesterday'\n")
    report = look(tmp_path / "new", {"WATCHKEEPER_PRICES": str(prices)})

    assert found(report, "WKD802").where == str(prices)
    assert report.exit_code == 2
