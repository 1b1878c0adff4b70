"""OpenLIT's spans: what the recorded conversation does not show."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ingest.recorded import spans
from tests.ingest.test_mapper import span
from watchkeeper.model import Content, Scope

CHAT = {"gen_ai.operation.name": "chat", "gen_ai.server.time_to_first_token": 0.5}


def told(attributes: dict[str, Any]) -> Any:
    """Map a span of OpenLIT's."""
    return span(attributes, scope=Scope(name="openlit.instrumentation.openai"))


def test_a_price_of_nothing_is_no_price() -> None:
    """OpenLIT says 0 of a model that its list lacks: then it is priced here."""
    assert told({**CHAT, "gen_ai.usage.cost": 0.0}).cost is None
    assert told({**CHAT, "gen_ai.usage.cost": 0.25}).cost.nano_usd == 250_000_000


@pytest.mark.parametrize(("streamed", "found"), [(True, 500_000_000), (False, None)])
def test_only_a_stream_has_a_first_token(*, streamed: bool, found: int | None) -> None:
    """Of a call that is not streamed, what OpenLIT calls so is the whole time."""
    assert told({**CHAT, "gen_ai.request.stream": streamed}).time_to_first_token_ns == found


@pytest.mark.parametrize(("operation", "kind"), [("GET", "retriever"), ("UPSERT", "span")])
def test_vector_databases(operation: str, kind: str) -> None:
    """A search in a vector database is a retrieval; a write to one is none."""
    found = told({"db.operation.name": operation, "db.query.text": "clouds", "db.system.name": "chroma"})

    assert (found.kind, found.input, found.provider) == (kind, Content(text="clouds"), "chroma")


def test_a_traced_function() -> None:
    """What a function was called with and what it returned are its input and output."""
    found = next(one for one in spans("openlit") if one.name == "get_weather")

    assert found.input == Content(text="{'city': 'Bern'}")
    assert found.output == Content(text='{"city":"Bern","temperature":21,"sky":"clear"}', mime_type="application/json")


def test_a_log_of_another_call_is_not_the_spans() -> None:
    """A call's details, logged inside the app's span once the stream has ended, are not the app's."""
    root = next(one for one in spans("openlit") if one.parent_span_id is None)

    assert root.raw.logs
    assert (root.kind, root.usage.input_tokens, root.request_model) == ("span", None, None)
