"""MLflow's spans: what the recorded conversations do not show."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.ingest.recorded import spans
from tests.ingest.test_mapper import span
from watchkeeper.model import Document, RawEvent


def told(kind: str, **found: Any) -> Any:
    """Map a span of MLflow, whose values are JSON; in the names of attributes, `__` stands for a dot."""
    values = {"mlflow.spanType": kind, **{key.replace("__", "."): value for key, value in found.items()}}
    return span({key: json.dumps(value) for key, value in values.items()})


@pytest.mark.parametrize(
    ("kind", "found"),
    [("CHAT_MODEL", "llm"), ("CHAIN", "workflow"), ("RERANKER", "reranker"), ("MEMORY", "span"), ("OWN", "span")],
)
def test_types_have_their_kinds(kind: str, found: str) -> None:
    """Each of MLflow's types is one of the kinds; one that an app made up is a span."""
    assert told(kind).kind == found


def test_documents_of_a_retriever() -> None:
    """A retriever's output is documents."""
    found = told("RETRIEVER", mlflow__spanOutputs=[{"page_content": "clouds", "metadata": {"score": 0.5}, "id": "1"}])

    assert found.output.documents == (Document(id="1", content="clouds", score=0.5, metadata={"score": 0.5}),)


def test_counts_of_anthropics_include_the_cache() -> None:
    """MLflow has added the cache to the input already; it is not added again."""
    usage = {"input_tokens": 100, "output_tokens": 20, "cache_read_input_tokens": 64, "cache_creation_input_tokens": 26}
    found = told("CHAT_MODEL", mlflow__chat__tokenUsage=usage).usage

    assert (found.input_tokens, found.cache_read_tokens, found.cache_write_tokens) == (100, 64, 26)


def test_its_price() -> None:
    """MLflow's price is taken as given, with its parts where they add up."""
    cost = {"input_cost": 0.1, "output_cost": 0.2, "total_cost": 0.3}
    found = told("CHAT_MODEL", mlflow__llm__cost=cost).cost

    assert (found.nano_usd, found.detail) == (300_000_000, {"input": 100_000_000, "output": 200_000_000})


def test_a_traces_tags_are_the_roots() -> None:
    """Tags, which are pairs, are read from the span that has no parent."""
    found = span({"mlflow.spanType": '"AGENT"', "mlflow.traceTag.team": "weather"})

    assert found.tags == ("team=weather",)


def test_the_model_that_was_asked_for() -> None:
    """With OpenTelemetry's names MLflow gives the answering model as the one asked for; its bare key has the right one."""
    first = next(one for one in spans("mlflow_genai") if one.kind == "llm")

    assert (first.request_model, first.response_model) == ("gpt-4o-mini", "gpt-4o-mini-2024-07-18")


def test_a_first_chunk_before_the_start() -> None:
    """A chunk that a clock puts before the call's start came at once."""
    found = span({"mlflow.spanType": '"LLM"'}, events=(RawEvent(name="mlflow.chunk.item.0", time=1),))

    assert found.time_to_first_token_ns == 0


def test_tools_that_are_not_json() -> None:
    """Values that are not JSON, as an app may set them by OpenTelemetry's own API, are written so that they are."""
    found = span({"mlflow.spanType": "LLM", "mlflow.spanInputs": {"tools": [b"\xff", float("inf")]}})

    assert (found.kind, found.tools) == ("llm", ("ff", "inf"))
