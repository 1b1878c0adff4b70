"""Where a call was answered: told by the span, or not said at all."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.ingest import map_span
from watchkeeper.ingest.region import region_of_host
from watchkeeper.model import RawSpan, Span
from watchkeeper.pricing import Pricer

CALL: dict[str, Any] = {
    "gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 1_000,
    "gen_ai.usage.output_tokens": 500,
}  # fmt: skip
NOV = 1_793_880_000 * 10**9


def read(resource: dict[str, Any] | None = None, **attributes: Any) -> Span:
    """Map a call."""
    own = {name.replace("__", "."): value for name, value in attributes.items()}
    raw = RawSpan(
        trace_id="a" * 32, span_id="b" * 16, start_time=NOV, attributes={**CALL, **own}, resource=resource or {}
    )
    return map_span("p", raw, NOV)


@pytest.mark.parametrize(
    "host",
    [
        "api.openai.com", "api.mistral.ai", "api.anthropic.com", "acme.openai.azure.com", "acme.services.ai.azure.com",
        "aiplatform.googleapis.com", "generativelanguage.googleapis.com", "eu.api.openai.com.evil.example",
        "api.eu.mistral.ai.evil.example", "bedrock-runtime.eu-west-1.amazonaws.com.evil.example",
        "europe-west4-aiplatform.googleapis.com.evil.example", "notamazonaws.com", "10.0.0.7", "vllm.internal", "",
    ],
)  # fmt: skip
def test_a_host_that_serves_many_places_gives_no_region(host: str) -> None:
    """A global host, one that only looks regional, and one of your own leave the region unsaid."""
    assert read(server__address=host).region is None


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("bedrock-runtime.eu-west-1.amazonaws.com", "eu-west-1"),
        ("bedrock-runtime-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
        ("vpce-0a-1b.bedrock-runtime.eu-central-1.vpce.amazonaws.com", "eu-central-1"),
        ("runtime.sagemaker.eu-north-1.amazonaws.com", "eu-north-1"),
        ("bedrock-runtime.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("bedrock-runtime.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"),
        ("bedrock-mantle.eu-south-2.api.aws", "eu-south-2"),
        ("europe-west4-aiplatform.googleapis.com", "europe-west4"),
        ("northamerica-northeast1-aiplatform.googleapis.com", "northamerica-northeast1"),
        ("EUROPE-WEST4-aiplatform.googleapis.com", "europe-west4"),
        ("aiplatform.eu.rep.googleapis.com", "eu"),
        ("eu.api.openai.com", "eu"),
        ("api.eu.mistral.ai", "eu"),
        ("eu-west-1.api.x.ai", "eu-west-1"),
        ("westeurope.api.cognitive.microsoft.com", "westeurope"),
        ("acme-chat.swedencentral.inference.ml.azure.com", "swedencentral"),
        ("acme-chat.eastus2.models.ai.azure.com", "eastus2"),
        ("api.scaleway.ai", "fr-par"),
        ("openai.inference.de-txl.ionos.com", "de-txl"),
        ("api.openai-compat.model-serving.eu01.onstackit.cloud", "eu01"),
    ],
)
def test_a_regional_host_names_its_region(host: str, region: str) -> None:
    """What a provider's host says of its region is the span's region, in the provider's words."""
    assert read(server__address=host).region == region


def test_a_url_tells_the_host_too() -> None:
    """Where only the address is on the span, its host is the endpoint's."""
    found = read(url__full="https://api.eu.mistral.ai:443/v1/chat/completions?x=1")

    assert (found.endpoint_host, found.region) == ("api.eu.mistral.ai", "eu")
    assert read(url__full="https://[bad").endpoint_host is None


@pytest.mark.parametrize(
    ("model", "region"),
    [
        ("eu.anthropic.claude-sonnet-4-5-20250929-v1:0", "eu"),
        ("global.anthropic.claude-sonnet-4-5-20250929-v1:0", "global"),
        ("bedrock/us.meta.llama3-3-70b-instruct-v1:0", "us"),
        ("arn:aws:bedrock:eu-central-1:123:inference-profile/eu.anthropic.claude-opus-4-5-v1:0", "eu"),
        ("arn:aws:bedrock:eu-central-1:123:provisioned-model/abc", "eu-central-1"),
        ("anthropic.claude-sonnet-4-5-20250929-v1:0", "eu-west-1"),
        ("eu.example.model", "eu-west-1"),
    ],
)
def test_a_bedrock_profile_says_more_than_the_host_that_was_called(model: str, region: str) -> None:
    """A profile may answer from any region of its geography, whichever region's endpoint took the call."""
    assert (
        read(gen_ai__request__model=model, server__address="bedrock-runtime.eu-west-1.amazonaws.com").region == region
    )


def test_where_the_app_runs_is_not_where_the_model_runs() -> None:
    """A resource's region counts only for a model on the same machine; on the span it is the called service's."""
    here = {"cloud.region": "eu-west-1"}

    assert read(here, server__address="api.openai.com").region is None
    assert read(here).region is None
    assert read(here, server__address="localhost").region == "eu-west-1"
    assert read(None, cloud__region="EU-West-3").region == "eu-west-3"
    assert read(None, aws__region="eu-west-3").region == "eu-west-3"


def test_a_span_that_is_no_model_call_has_no_region() -> None:
    """Tools and databases are not priced by region, and keep none."""
    assert read(gen_ai__operation__name="execute_tool", server__address="x.eu-west-1.amazonaws.com").region is None


def test_what_the_provider_reports_wins_and_is_priced() -> None:
    """Anthropic's own word on where it answered is the region, and a US answer costs its tenth more."""
    told = {"gen_ai__provider__name": "anthropic", "gen_ai__request__model": "claude-opus-5"}
    home, there = (
        Pricer().price(read(None, server__address="api.anthropic.com", anthropic__usage__inference_geo=geo, **told))
        for geo in ("global", "us")
    )

    assert (home.region, there.region) == ("global", "us")
    assert home.cost is not None
    assert there.cost is not None
    assert "uplift:us_inference" in there.cost.detail
    assert there.cost.nano == (home.cost.nano or 0) * 11 // 10


@given(st.text(max_size=80))
def test_any_text_can_be_asked(host: str) -> None:
    """No host, however strange, makes it fail."""
    found = region_of_host(host)

    assert found is None or found
