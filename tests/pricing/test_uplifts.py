"""What a region costs more: its own line, and only where the endpoint says so."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from watchkeeper.model import Cost, RawSpan, Span, Usage
from watchkeeper.pricing import Pricer

PRICER = Pricer()
RAW = RawSpan(trace_id="a" * 32, span_id="b" * 16)
NOW = int(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp()) * 10**9
DAY = 24 * 3600 * 10**9


def cost(
    provider: str,
    model: str,
    *,
    host: str | None = None,
    region: str | None = None,
    at: int = NOW,
    pricer: Pricer = PRICER,
) -> Cost:
    """Price a call to an endpoint."""
    span = Span(
        project="p", trace_id="a" * 32, span_id="b" * 16, kind="llm", start_time=at, raw=RAW, provider=provider,
        response_model=model, endpoint_host=host, region=region, usage=Usage(input_tokens=1_000, output_tokens=500),
    )  # fmt: skip
    found = pricer.price(span).cost
    assert found is not None
    return found


def lines(found: Cost) -> list[str]:
    """Return the uplifts of a cost."""
    return [name for name in found.detail if name.startswith("uplift:")]


@pytest.mark.parametrize(
    ("provider", "model", "host", "region"),
    [
        ("openai", "gpt-5.4", None, None),
        ("openai", "gpt-5.4", "api.openai.com", None),
        ("openai", "gpt-5.4", "eu.api.openai.com.evil.example", None),
        ("openai", "gpt-4o-mini", "eu.api.openai.com", None),
        ("mistral_ai", "mistral-small-latest", "api.mistral.ai", None),
        ("gcp.vertex_ai", "claude-opus-4-5", "aiplatform.googleapis.com", None),
        ("gcp.vertex_ai", "claude-3-5-sonnet", "europe-west1-aiplatform.googleapis.com", None),
        ("anthropic", "claude-opus-5", "api.anthropic.com", None),
        ("anthropic", "claude-opus-5", "api.anthropic.com", "global"),
    ],
)
def test_nothing_is_charged_where_the_endpoint_does_not_say_so(
    provider: str, model: str, host: str | None, region: str | None
) -> None:
    """No host, a global host, a name that only looks like one, or a model before the uplift: no uplift."""
    assert lines(cost(provider, model, host=host, region=region)) == []


@pytest.mark.parametrize(
    ("provider", "model", "host", "region", "name"),
    [
        ("openai", "gpt-5.4", "eu.api.openai.com", None, "regional_processing"),
        ("openai", "gpt-5.4-mini-2026-03-17", "EU.api.openai.com", None, "regional_processing"),
        ("mistral_ai", "mistral-small-latest", "api.eu.mistral.ai", None, "regional_processing"),
        ("gcp.vertex_ai", "claude-opus-4-5", "europe-west1-aiplatform.googleapis.com", None, "regional_endpoint"),
        ("gcp.vertex_ai", "claude-sonnet-4-6", "aiplatform.eu.rep.googleapis.com", None, "regional_endpoint"),
        ("anthropic", "claude-opus-5", "api.anthropic.com", "us", "us_inference"),
    ],
)
def test_a_regional_endpoint_costs_a_tenth_more_on_a_line_of_its_own(
    provider: str, model: str, host: str, region: str | None, name: str
) -> None:
    """The uplift is 10 % of the rest, its own line in the detail, within the total, and named in the version."""
    plain, found = cost(provider, model), cost(provider, model, host=host, region=region)

    assert plain.nano is not None
    assert found.nano == sum(found.detail.values())
    assert found.detail[f"uplift:{name}"] * 10 == plain.nano
    assert f"+10 % {name}" in (found.version or "")


def test_an_uplift_does_not_make_a_price_disputed() -> None:
    """The tables are compared before uplifts."""
    assert cost("openai", "gpt-5.4", host="eu.api.openai.com").confidence == "agreed"


def test_before_its_day_an_uplift_is_not_charged() -> None:
    """A call before the uplift began costs the plain price."""
    before = int(datetime(2026, 3, 4, tzinfo=UTC).timestamp()) * 10**9

    assert lines(cost("openai", "gpt-5.4", host="eu.api.openai.com", at=before)) == []


@pytest.fixture
def own(tmp_path: Path) -> Pricer:
    """A price and an uplift of one's own."""
    path = tmp_path / "p.toml"
    path.write_text(
        "[[price]]\nmodel = 'gpt-5.4'\nfrom = 2026-01-01\ninput = '1'\noutput = '1'\n"
        "[[uplift]]\nname = 'zone'\nhost = 'acme.openai.azure.com'\npercent = '7.5'\nfrom = 2026-01-01\n"
    )
    return Pricer(path)


def test_our_uplifts_leave_your_own_prices_alone(own: Pricer) -> None:
    """A contract's price is not raised by a packaged uplift."""
    assert lines(cost("openai", "gpt-5.4", host="eu.api.openai.com", pricer=own)) == []


def test_your_own_uplift_raises_what_it_names(own: Pricer) -> None:
    """An uplift of your own holds for your prices and for the table's, to a tenth of a percent."""
    mine = cost("azure", "gpt-5.4", host="acme.openai.azure.com", pricer=own)
    tables = cost("azure", "gpt-4o-mini", host="acme.openai.azure.com", pricer=own)

    assert mine.detail["uplift:zone"] == 112_500
    assert lines(tables) == ["uplift:zone"]


def test_a_provided_cost_is_not_raised() -> None:
    """What the emitter says a call cost already holds whatever was charged."""
    provided = Cost(state="provided", nano=7, nano_usd=7)
    span = Span(
        project="p", trace_id="a" * 32, span_id="b" * 16, kind="llm", raw=RAW, cost=provided,
        endpoint_host="eu.api.openai.com", provider="openai", response_model="gpt-5.4",
    )  # fmt: skip

    assert PRICER.price(msgspec.structs.replace(span)).cost == provided
