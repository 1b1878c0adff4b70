"""Prices as people look at them: what is used, why, and where a second table says otherwise."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from watchkeeper.kit.errors import ConfigError
from watchkeeper.pricing import PriceDesk, Pricer, import_table
from watchkeeper.pricing.desk import BucketPrice
from watchkeeper.pricing.exchange import Exchange
from watchkeeper.pricing.second import second_table

DAY = 86_400 * 10**9
NOW = int(datetime(2026, 11, 25, 12, tzinfo=UTC).timestamp()) * 10**9
DESK = PriceDesk(Pricer())


def test_a_model_nobody_knows_is_unpriced() -> None:
    """Without a price there are no amounts, and the answer says so."""
    found = DESK.show("openai", "no-such-model-9000", NOW)

    assert (found.verdict, found.prices, found.source) == ("unpriced", (), None)
    assert "no-such-model-9000" in (found.reason or "")


def test_a_price_stands_beside_the_second_tables() -> None:
    """Each kind of token has its price a million, the other table's, and no difference where they agree."""
    found = DESK.show("openai", "gpt-4o-mini", NOW)

    assert (found.verdict, found.currency, found.source) == ("agreed", "USD", "genai-prices")
    assert found.prices[0] == BucketPrice(bucket="input", price="0.15", second="0.15")
    assert [one.bucket for one in found.prices] == ["input", "cache_read", "output"]


def test_tables_that_differ_are_disputed_by_bucket() -> None:
    """Where the second table's price is another by more than 1 %, the bucket says by how much; some model does."""
    found = [DESK.show(provider, model, NOW) for provider, model in second_table().names() if provider == "x-ai"]
    disputed = [one for one in found if one.verdict == "disputed"]

    assert disputed
    for one in disputed:
        differs = [each for each in one.prices if each.differs]
        assert all(each.second != each.price for each in differs)
        assert differs
        assert (one.reason or "").startswith("disputed:")


def test_a_price_of_another_day_is_that_days() -> None:
    """The time asked for decides the price: o3 cost five times as much in May 2025."""
    then = int(datetime(2025, 5, 1, tzinfo=UTC).timestamp()) * 10**9

    assert [DESK.show("openai", "o3", time).prices[0].price for time in (then, NOW)] == ["10", "2"]


def test_a_regional_host_is_said_to_cost_more() -> None:
    """What a region adds is named with its percent and source."""
    (found,) = DESK.show("mistral_ai", "mistral-small-latest", NOW, host="api.eu.mistral.ai").uplifts

    assert (found.name, found.percent) == ("regional_processing", "10")
    assert found.source.startswith("https://")


def test_your_own_price_and_machine_are_named(tmp_path: Path) -> None:
    """A model with a price of your own is `override`; one on a machine of your own tells its hour."""
    path = tmp_path / "prices.toml"
    path.write_text(
        "[[price]]\nmodel = 'mine'\nfrom = 2026-01-01\ninput = '1.5'\ncurrency = 'EUR'\nsource = 'contract'\n"
        "[[on_prem]]\nname = 'gpu'\nmodels = ['house']\nfrom = 2026-01-01\nhourly = '1.60'\nreplicas = 2\n"
    )
    desk = PriceDesk(Pricer(path))
    mine, house = desk.show(None, "mine", NOW), desk.show(None, "house", NOW)

    assert (mine.verdict, mine.currency, mine.source, mine.prices[0].price) == ("override", "EUR", "contract", "1.5")
    assert (house.verdict, house.version) == ("on_premises", "gpu: 2 x 1.6 USD an hour")


def test_it_tells_how_old_tables_are() -> None:
    """Ages are whole days since the second table was taken and since the last exchange rate."""
    taken = second_table().taken_ns
    found = DESK.ages(taken + 10 * DAY)

    assert (found.second_table_days, found.rates_last) == (10, "2026-10-30")
    assert found.rates_days > 10
    assert (found.overrides, found.error) == (None, None)


@pytest.mark.parametrize("text", ["", "nonsense", "Date,EUR\n2026-11-02,1", "Date,USD\n", "Date,USD\nsoon,1.1"])
def test_rates_that_are_none_are_not_taken_in(tmp_path: Path, text: str) -> None:
    """A file in another form, or without a day, is refused, and what was imported before stays."""
    target = tmp_path / "data" / "rates.csv"
    target.parent.mkdir()
    target.write_text("before")
    source = tmp_path / "rates.txt"
    source.write_text(text)

    with pytest.raises(ConfigError):
        import_table(source, target)
    assert target.read_text() == "before"


def test_rates_are_taken_in_and_used_from_then_on(tmp_path: Path) -> None:
    """A newer file of the ECB, zipped as it is published, decides days after the shipped table's end."""
    source, target = tmp_path / "eurofxref-hist.zip", tmp_path / "data" / "rates.csv"
    with zipfile.ZipFile(source, "w") as inner:
        inner.writestr("eurofxref-hist.csv", "Date,USD,CHF,\n2026-11-24,1.2500,0.9300,\n")
    before = Exchange(imported=target).dollars("EUR", NOW)
    table = import_table(source, target)
    after = Exchange(imported=target).dollars("EUR", NOW)

    assert before is not None
    assert after is not None
    assert (before.day, after.day, table.last) == ("2026-10-30", "2026-11-24", "2026-11-24")
    assert after.of(10**9) == 1_250_000_000
