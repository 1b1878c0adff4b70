"""Money: right, dated, and never zero for want of a price."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import genai_prices
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.kit.errors import ConfigError
from watchkeeper.model import Cost, RawSpan, Span, SpanKind, Usage
from watchkeeper.pricing import Pricer

NOW = int(datetime(2026, 11, 1, 12, tzinfo=UTC).timestamp()) * 10**9
RAW = RawSpan(trace_id="a" * 32, span_id="b" * 16)
PRICER = Pricer()


def span(kind: SpanKind = "llm", **fields: Any) -> Span:
    """Build a span of a model call."""
    given = {
        "provider": "openai",
        "response_model": "gpt-4o-mini",
        "usage": Usage(input_tokens=1000, output_tokens=500),
    }
    return Span(
        project="p", trace_id="a" * 32, span_id="b" * 16, kind=kind, start_time=NOW, raw=RAW, **{**given, **fields}
    )


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"response_model": "no-such-model-9000"}, "no price is known"),
        ({"provider": None, "response_model": None}, "names no model"),
        ({"usage": Usage()}, "reports no tokens"),
    ],
)
def test_what_cannot_be_priced_is_unpriced(fields: dict[str, Any], reason: str) -> None:
    """Without a model, tokens or a known price the cost is unpriced and None, never zero, and says why."""
    cost = PRICER.price(span(**fields)).cost

    assert cost is not None
    assert (cost.state, cost.nano, cost.nano_usd) == ("unpriced", None, None)
    assert reason in (cost.reason or "")


@pytest.mark.parametrize(
    "text",
    [
        "[[price]]\nmodel = 'x'\nfrom = 2026-01-01\ninput = '-1'",
        "[[price]]\nmodel = 'x'\nfrom = 'soon'\ninput = '1'",
        "[[price]]\nmodel = 'x'\nfrom = 2026-01-01",
        "[[price]]\nmodle = 'x'\nfrom = 2026-01-01\ninput = '1'",
        "[[price]]\nmodel = 'x'\nfrom = 2026-01-01\nuntil = 2026-01-01\ninput = '1'",
        "[[price]]\nmodel = 'x'\nfrom = 2026-01-01T00:00:00Z\ninput = '1'",
        "[price]\nmodel = 'x'",
        "[[prices]]\nmodel = 'x'",
        "[[rate]]\ncurrency = 'EUR'\nfrom = 2026-01-01\nusd = '0'",
        "[[rate]]\nfrom = 2026-01-01\nusd = '1.1'",
        "[[rate]]\ncurrency = 'EUR'\nfrom = 2026-01-01\neur = '1'\nusd = '1'",
        "[[uplift]]\nfrom = 2026-01-01\npercent = '10'",
        "[[uplift]]\nhost = 'x'\nfrom = 2026-01-01\npercent = '1.234'",
        "[[uplift]]\nhost = 'x'\nfrom = 2026-01-01\npercent = '10'\nmodels = 'gpt'",
        "not toml",
    ],
)
def test_a_wrong_price_file_is_refused(tmp_path: Path, text: str) -> None:
    """A price file with a bad price, day, key or syntax is refused with its place."""
    path = tmp_path / "prices.toml"
    path.write_text(text)

    with pytest.raises(ConfigError, match=r"prices\.toml"):
        Pricer(path)


def test_a_missing_price_file_is_refused(tmp_path: Path) -> None:
    """A price file that is not there is an error, not silence."""
    with pytest.raises(ConfigError, match="cannot read"):
        Pricer(tmp_path / "none.toml")


def test_spans_that_are_no_model_call_have_no_cost() -> None:
    """A tool span is not priced, so that a parent's usage is never added to its children's."""
    assert PRICER.price(span("agent")).cost is None


def test_a_provided_cost_is_kept() -> None:
    """What the emitter says a call cost stands as provided."""
    provided = Cost(state="provided", nano=7, nano_usd=7)

    assert PRICER.price(span(cost=provided)).cost == provided


def test_the_total_is_the_sum_of_its_buckets_and_names_its_source() -> None:
    """A computed cost sums its buckets and carries the price's source, version and date."""
    cost = PRICER.price(span(usage=Usage(input_tokens=1000, cache_read_tokens=400, output_tokens=500))).cost

    assert cost is not None
    assert cost.detail == {"cache_read": 30_000, "input": 90_000, "output": 300_000}
    assert cost.nano == cost.nano_usd == 420_000
    assert cost.source == "genai-prices"
    assert (cost.version or "").endswith("price of 2026-11-01")


CASES = [
    ("openai", "openai", "gpt-4o-mini"),
    ("anthropic", "anthropic", "claude-sonnet-4-5"),
    ("gcp.gemini", "google", "gemini-2.5-pro"),
    ("mistral_ai", "mistral", "mistral-small-latest"),
]


@pytest.mark.parametrize(("provider", "theirs", "model"), CASES)
@given(tokens=st.integers(0, 400_000), read=st.integers(0, 100_000), output=st.integers(0, 50_000))
def test_agrees_with_the_table_itself(
    provider: str, theirs: str, model: str, tokens: int, read: int, output: int
) -> None:
    """Our integer arithmetic gives the table's own total to within one nano-dollar a bucket, tiers included."""
    read = min(read, tokens)
    usage = Usage(input_tokens=tokens, output_tokens=output, cache_read_tokens=read)
    cost = PRICER.cost(provider, (model,), usage, NOW)
    expected = genai_prices.calc_price(
        genai_prices.Usage(input_tokens=tokens, output_tokens=output, cache_read_tokens=read),
        model_ref=model,
        provider_id=theirs,
        genai_request_timestamp=datetime.fromtimestamp(NOW / 1e9, UTC),
    ).total_price

    assert cost.nano is not None
    assert abs(cost.nano - expected * 10**9) <= 2


def test_history_is_priced_with_the_price_of_its_day() -> None:
    """A call made before a price cut costs what it cost then."""
    usage = Usage(input_tokens=1_000_000, output_tokens=0)
    then = int(datetime(2025, 5, 1, tzinfo=UTC).timestamp()) * 10**9

    before, after = (PRICER.cost("openai", ("o3",), usage, time).nano for time in (then, NOW))

    assert before is not None
    assert after is not None
    assert before > after


def test_your_own_price_wins_while_it_holds(tmp_path: Path) -> None:
    """A dated override beats the table within its days, in its own currency, with dollars by the dated rate."""
    path = tmp_path / "prices.toml"
    path.write_text(
        "[[price]]\nprovider = '*'\nmodel = 'GPT-4o*'\nfrom = 2026-06-01\nuntil = 2027-01-01\ncurrency = 'EUR'\n"
        "input = '0.50'\noutput = '1'\nsource = 'contract 7'\n"
        "[[rate]]\ncurrency = 'EUR'\nfrom = 2026-01-01\nusd = '1.10'\n"
    )
    pricer = Pricer(path)
    usage = Usage(input_tokens=1_000_000, output_tokens=1_000_000)
    early = int(datetime(2026, 5, 1, tzinfo=UTC).timestamp()) * 10**9

    cost = pricer.cost("openai", ("gpt-4o-mini",), usage, NOW)

    assert (cost.nano, cost.currency, cost.nano_usd) == (1_500_000_000, "EUR", 1_650_000_000)
    assert (cost.source, cost.version) == (
        "contract 7",
        "from 2026-06-01; EUR at the rate of 2026-01-01 (your price file)",
    )
    assert cost.confidence == "override"
    assert pricer.cost("openai", ("gpt-4o-mini",), usage, early).source == "genai-prices"


def test_without_an_exchange_rate_there_is_no_dollar_figure(tmp_path: Path) -> None:
    """A price in a currency without a dated rate keeps its own amount and has no dollars."""
    path = tmp_path / "prices.toml"
    path.write_text("[[price]]\nmodel = '*'\nfrom = 2026-01-01\ncurrency = 'XAU'\ninput = '1'\noutput = '1'\n")
    cost = Pricer(path).cost(None, ("local",), Usage(input_tokens=10), NOW)

    assert (cost.nano, cost.currency, cost.nano_usd) == (10_000, "XAU", None)
    assert "no exchange rate of XAU" in (cost.reason or "")


def test_a_kind_of_token_without_a_rate_leaves_the_call_unpriced(tmp_path: Path) -> None:
    """A price that says nothing of output does not price a call that has some."""
    path = tmp_path / "prices.toml"
    path.write_text("[[price]]\nmodel = '*'\nfrom = 2026-01-01\ninput = '1'\nsource = 'half a contract'\n")
    cost = Pricer(path).cost(None, ("local",), Usage(input_tokens=10, output_tokens=1), NOW)

    assert (cost.state, cost.nano) == ("unpriced", None)
    assert "half a contract" in (cost.reason or "")


def test_an_amount_no_store_can_hold_is_unpriced(tmp_path: Path) -> None:
    """An amount beyond 64 bits is unpriced, so that one absurd span cannot stop its batch."""
    path = tmp_path / "prices.toml"
    path.write_text("[[price]]\nmodel = '*'\nfrom = 2026-01-01\ninput = '1000000000'\n")
    cost = Pricer(path).cost(None, ("local",), Usage(input_tokens=10**12), NOW)

    assert (cost.state, cost.nano) == ("unpriced", None)


def test_the_last_of_your_entries_wins(tmp_path: Path) -> None:
    """Where two of your prices hold, the one further down does."""
    path = tmp_path / "prices.toml"
    path.write_text("".join(f"[[price]]\nmodel = '*'\nfrom = 2026-01-01\ninput = '{price}'\n" for price in (1, 3)))

    assert Pricer(path).cost(None, ("local",), Usage(input_tokens=10), NOW).nano == 30_000


def test_large_amounts_are_exchanged_to_the_last_nano(tmp_path: Path) -> None:
    """Exchange is integer arithmetic: an amount beyond a double's digits keeps every one, halves going to even."""
    path = tmp_path / "prices.toml"
    path.write_text(
        "[[price]]\nmodel = '*'\nfrom = 2026-01-01\ncurrency = 'EUR'\ninput = '1000.000003'\n"
        "[[rate]]\ncurrency = 'EUR'\nfrom = 2026-01-01\nusd = '1.5'\n"
    )
    cost = Pricer(path).cost(None, ("local",), Usage(input_tokens=10**10 + 1), NOW)

    assert cost.nano == 10_000_000_031_000_000
    assert cost.nano_usd == 15_000_000_046_500_000


def test_a_service_tier_has_its_own_price() -> None:
    """A call answered on a cheaper service tier is priced at that tier, and an unknown tier at the standard price."""
    usage = Usage(input_tokens=1000, output_tokens=500)
    standard, flex, unknown = (
        PRICER.price(span(response_model="gpt-5-mini", usage=usage, parameters=tier)).cost
        for tier in ({}, {"service_tier": "flex"}, {"service_tier": "default"})
    )
    expected = genai_prices.calc_price(
        genai_prices.Usage(input_tokens=1000, output_tokens=500),
        model_ref="gpt-5-mini",
        provider_id="openai",
        genai_request_timestamp=datetime.fromtimestamp(NOW / 1e9, UTC),
        price_context={"service_tier": "flex"},
    ).total_price

    assert standard is not None
    assert flex is not None
    assert flex.nano is not None
    assert flex.nano == expected * 10**9
    assert flex.nano < (standard.nano or 0)
    assert unknown == standard


def test_it_says_where_prices_come_from(tmp_path: Path) -> None:
    """The price table's name and version, and your own file, can be shown."""
    path = tmp_path / "prices.toml"
    path.write_text("[[price]]\nmodel = '*'\nfrom = 2026-01-01\ninput = '1'\n")
    told = Pricer(path).describe()

    assert (told["table"], told["overrides"], told["override_entries"]) == ("genai-prices", str(path), 1)
    assert told["table_version"]


class Watch:
    """A clock in the test's hand."""

    now = 0.0

    def __call__(self) -> float:
        """Tell it."""
        return self.now


def test_a_file_that_became_wrong_leaves_the_last_good_prices(tmp_path: Path) -> None:
    """A broken price file does not stop pricing: what held goes on, and the error can be shown until it is mended."""
    path, watch = tmp_path / "prices.toml", Watch()
    path.write_text("[[price]]\nmodel = 'x'\nfrom = 2026-01-01\ninput = '1'\n")
    pricer = Pricer(path, monotonic=watch)
    path.write_text("[[price]]\nmodel = 'x'\n")
    watch.now = 2.0
    call = span(response_model="x", usage=Usage(input_tokens=1_000_000))

    assert pricer.cost_of(call).nano == 1_000_000_000
    assert "prices.toml" in (pricer.describe()["error"] or "")

    path.write_text("[[price]]\nmodel = 'x'\nfrom = 2026-01-01\ninput = '25'\n")
    watch.now = 4.0

    assert pricer.cost_of(call).nano == 25_000_000_000
    assert pricer.error is None


def test_the_disk_is_asked_once_a_second(tmp_path: Path) -> None:
    """A changed price file is taken up within a second, and not looked for at every call."""
    path, watch = tmp_path / "prices.toml", Watch()
    path.write_text("[[price]]\nmodel = 'x'\nfrom = 2026-01-01\ninput = '1'\n")
    pricer = Pricer(path, monotonic=watch)
    call = span(response_model="x", usage=Usage(input_tokens=1_000_000))
    path.write_text("[[price]]\nmodel = 'x'\nfrom = 2026-01-01\ninput = '25'\n")

    seen = []
    for watch.now in (0.5, 0.9, 1.1):
        seen.append(pricer.cost_of(call).nano)

    assert seen == [10**9, 10**9, 25 * 10**9]
