"""LiteLLM's spans: what the recorded conversations do not show."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ingest.recorded import spans
from tests.ingest.test_mapper import span
from watchkeeper.model import Message, TextPart, ToolCallPart


def told(**found: Any) -> Any:
    """Map a span of LiteLLM; in the names of attributes, `__` stands for a dot."""
    return span({"litellm.call_id": "1", **{key.replace("__", "."): value for key, value in found.items()}})


@pytest.mark.parametrize(
    ("call", "operation", "kind"),
    [
        ("acompletion", "chat", "llm"), ("completion", "chat", "llm"), ("aembedding", "embeddings", "embedding"),
        ("arerank", "rerank", "reranker"), ("anthropic_messages", "chat", "llm"), ("call_mcp_tool", "execute_tool", "tool"),
        ("new", None, "span"),
    ],
)  # fmt: skip
def test_calls_have_their_common_names(call: str, operation: str | None, kind: str) -> None:
    """A call is named as OpenTelemetry names it, whether it was awaited or not."""
    found = told(llm__request__type=call)

    assert (found.operation, found.kind) == (operation, kind)


@pytest.mark.parametrize(
    ("named", "provider"), [("azure", "azure.ai.openai"), ("mistral", "mistral_ai"), ("own", "own")]
)
def test_providers_have_their_common_names(named: str, provider: str) -> None:
    """A provider is called what OpenTelemetry calls it."""
    assert told(gen_ai__system=named).provider == provider


def test_counts_of_the_providers_answer() -> None:
    """The cache's and the reasoning's tokens are read from the answer that LiteLLM quotes as Python writes it."""
    quoted = "{'prompt_tokens': 9, 'cache_creation_input_tokens': 3, 'x': {'cached_tokens': 4, 'reasoning_tokens': 2}}"
    usage = told(metadata__usage_object=quoted, gen_ai__usage__input_tokens=9, gen_ai__usage__output_tokens=5).usage

    assert (usage.cache_write_tokens, usage.cache_read_tokens, usage.reasoning_tokens) == (3, 4, 2)


def test_a_cost_after_a_discount_has_no_parts() -> None:
    """Parts that do not add up to what was paid are left out, and a cost of nothing is no cost."""
    found = told(litellm__cost__total=0.5, litellm__cost__input=0.4, litellm__cost__output=0.2)

    assert (found.cost.nano_usd, found.cost.detail) == (500_000_000, {})
    assert told(gen_ai__cost__total_cost=0.0).cost is None


@pytest.mark.parametrize("client", ["litellm", "litellm_v2", "litellm_instrumented"])
def test_a_call_for_a_tool(client: str) -> None:
    """The answer that calls for a tool holds the call, which the first generation's messages leave out."""
    first = next(one for one in spans(client) if one.finish_reasons == ("tool_calls",))
    assert first.output is not None
    (message,) = first.output.messages

    assert isinstance(message, Message)
    (part,) = message.parts
    assert isinstance(part, ToolCallPart)
    assert (part.name, part.arguments) == ("get_weather", {"city": "Bern"})
    assert first.input is not None
    assert first.input.messages[0].parts == (TextPart("You are a weather bot."),)
