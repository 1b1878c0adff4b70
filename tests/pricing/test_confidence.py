"""Two tables, one answer, and how sure it is."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from watchkeeper.model import Cost, Usage
from watchkeeper.pricing import Pricer
from watchkeeper.pricing.plan import Plan
from watchkeeper.pricing.rates import Rate, Rates
from watchkeeper.pricing.second import SecondTable, second_table

NOON = 12 * 3600 * 10**9
PRICER = Pricer()
USAGE = Usage(input_tokens=1_000, output_tokens=1_000)


def ns(year: int, month: int, day: int) -> int:
    """Return noon of a day."""
    return int(datetime(year, month, day, tzinfo=UTC).timestamp()) * 10**9 + NOON


def plan(ours: int, theirs: int) -> Plan:
    """Return a plan whose two tables ask so much for a million tokens of output, in nano-dollars."""
    sheets = [Rates(input=Rate(0), output=Rate(price)) for price in (ours, theirs)]
    return Plan(
        sheets[0], "USD", None, source="first", version="1", reason="agreed: yes", second=sheets[1], second_name="other"
    )


def test_a_price_both_tables_know_is_agreed() -> None:
    """Where both tables say the same the cost is agreed, and names the table it was checked against."""
    cost = PRICER.cost("openai", ("gpt-4o-mini",), USAGE, ns(2026, 11, 20))

    assert cost.confidence == "agreed"
    assert "litellm" in (cost.reason or "")


def test_a_price_one_table_knows_is_single_and_is_used() -> None:
    """A model that only the second table knows is priced by it, as single."""
    found = next(
        cost
        for provider, model in second_table().names()
        if (cost := PRICER.cost(provider, (model,), USAGE, ns(2026, 11, 20))).source == "litellm"
    )

    assert (found.state, found.confidence) == ("computed", "single")


@pytest.mark.parametrize(
    ("theirs", "confidence"), [(1_010_000, "agreed"), (990_000, "agreed"), (1_011_000, "disputed"), (0, "disputed")]
)
def test_one_percent_is_the_border(theirs: int, confidence: str) -> None:
    """Totals within 1 % of ours agree; beyond it they are disputed, whichever is dearer."""
    assert plan(1_000_000, theirs).cost(Usage(input_tokens=0, output_tokens=1_000_000)).confidence == confidence


def test_a_disputed_cost_says_by_how_much() -> None:
    """A disputed cost names the other table's amount, the difference and the table that was used."""
    cost = plan(1_000_000, 1_500_000).cost(Usage(input_tokens=0, output_tokens=1_000_000))

    assert cost.reason == "disputed: other makes it 1500000 nano-USD (+50.0 %) before uplifts; first was used"


def test_only_the_buckets_a_call_used_are_judged() -> None:
    """Tables that differ on output agree about a call that had none."""
    assert plan(1_000_000, 2_000_000).cost(Usage(input_tokens=5, output_tokens=0)).confidence == "agreed"


def test_a_price_that_has_changed_since_is_not_judged_by_todays() -> None:
    """The second table has no history: a call priced before a cut is single, not disputed."""
    cost = PRICER.cost("openai", ("o3",), USAGE, ns(2025, 5, 1))

    assert cost.confidence == "single"
    assert "another when the call was made" in (cost.reason or "")


def test_your_own_price_is_an_override(tmp_path: Path) -> None:
    """A price of your own is checked against no table."""
    path = tmp_path / "p.toml"
    path.write_text("[[price]]\nmodel = 'gpt-4o-mini'\nfrom = 2026-01-01\ninput = '9'\noutput = '9'\n")

    assert Pricer(path).cost("openai", ("gpt-4o-mini",), USAGE, ns(2026, 11, 20)).confidence == "override"


def test_what_is_not_computed_has_no_confidence() -> None:
    """Provided and unpriced costs carry no confidence, whatever their reason begins with."""
    assert Cost(state="unpriced", reason="single: no").confidence is None
    assert Cost(state="provided", nano=1).confidence is None
    assert Cost(state="computed", nano=1, reason="because").confidence is None


def test_the_snapshot_names_its_source_version_day_and_licence() -> None:
    """The second table says where it comes from, of which day it is, and under which licence."""
    table = second_table()

    assert (table.source, table.licence[:3]) == ("litellm", "MIT")
    assert datetime.fromisoformat(table.taken)
    assert len(table.names()) > 1_000


@pytest.mark.parametrize("model", ["m", "M", "some/m"])
def test_a_model_is_found_by_its_bare_name(model: str) -> None:
    """Case and a leading provider's name do not hide a model of the second table."""
    table = SecondTable("s", "1", "2026-11-25", "MIT", "", {"p": {"m": {"input": "1", "output": ["2", [100, "4"]]}}})
    found = table.look_up("p", model)

    assert found is not None
    assert found.output is not None
    assert (found.output.at(100), found.output.at(101)) == (2 * 10**9, 4 * 10**9)


def test_a_service_tier_the_second_table_lacks_is_not_guessed() -> None:
    """A tier without prices of its own is unknown to the second table, not the base price."""
    table = SecondTable("s", "1", "2026-11-25", "MIT", "", {"p": {"m": {"input": "2", "flex": {"input": "1"}}}})

    assert table.look_up("p", "m", "priority") is None
    assert table.look_up("p", "m", "flex") == Rates(input=Rate(10**9))
    assert table.look_up("p", "m", "default") == Rates(input=Rate(2 * 10**9))


def test_pricing_again_gives_the_same_cost() -> None:
    """What is remembered answers as what was worked out: pricing twice, by any pricer, gives one cost."""
    costs = {
        str(one.cost("mistral_ai", ("mistral-small-latest",), USAGE, ns(2026, 11, 20))) for one in (PRICER, Pricer())
    }

    assert costs == {str(PRICER.cost("mistral_ai", ("mistral-small-latest",), USAGE, ns(2026, 11, 20)))}
