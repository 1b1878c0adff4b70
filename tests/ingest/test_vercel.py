"""The Vercel AI SDK's spans: what the recorded conversations do not show."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ingest.recorded import spans
from tests.ingest.test_mapper import span
from watchkeeper.model import (
    Content,
    Document,
    MediaPart,
    Message,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    Usage,
)

RECORDED = ("js-vercel", "js-vercel_legacy", "js-vercel6", "js-vercel5", "js-vercel4")


def call(operation: str = "ai.generateText.doGenerate", **found: Any) -> Any:
    """Map a span of the SDK; in the names of attributes, `__` stands for a dot."""
    return span({"ai.operationId": operation, **{key.replace("__", "."): value for key, value in found.items()}})


@pytest.mark.parametrize("client", RECORDED)
def test_outer_spans_repeat_no_tokens(client: str) -> None:
    """Only the innermost span of a call has its tokens, whichever version wrote it."""
    told = spans(client)
    outer = [one for one in told if one.kind in {"agent", "workflow"}]

    assert {one.agent_name for one in outer if one.kind == "agent"} == {"answer"}
    assert all(not one.usage for one in outer)
    assert [one.kind for one in told if one.usage] == ["llm", "llm", "llm", "embedding"]


@pytest.mark.parametrize("client", RECORDED)
def test_whose_call_it_is(client: str) -> None:
    """Session, user and tags are read from where each version writes them."""
    told = next(one for one in spans(client) if one.kind == "agent")

    assert (told.session_id, told.user_id, told.tags) == ("session-1", "user-1", ("tag-a", "tag-b"))


@pytest.mark.parametrize(
    ("told", "provider"),
    [
        ("openai.responses", "openai"), ("google.generative-ai", "gcp.gemini"), ("google.vertex.chat", "gcp.vertex_ai"),
        ("amazon-bedrock", "aws.bedrock"), ("mistral.chat", "mistral_ai"), ("anthropic.messages", "anthropic"),
        ("my-own", "my-own"),
    ],
)  # fmt: skip
def test_providers_have_their_common_names(told: str, provider: str) -> None:
    """A provider is called what OpenTelemetry calls it, without the interface it was spoken to by."""
    assert call(ai__model__provider=told).provider == provider


def test_anthropics_cache_is_part_of_its_input() -> None:
    """Up to version 5 the SDK leaves the cache out of Anthropic's input tokens; the total holds it."""
    metadata = '{"anthropic":{"cacheCreationInputTokens":30}}'
    usage: dict[str, Any] = {
        "ai__usage__inputTokens": 100,
        "ai__usage__cachedInputTokens": 60,
        "ai__usage__outputTokens": 5,
    }
    found = call(ai__model__provider="anthropic.messages", ai__response__providerMetadata=metadata, **usage)

    assert found.usage == Usage(input_tokens=190, output_tokens=5, cache_read_tokens=60, cache_write_tokens=30)


def test_a_total_is_left_alone() -> None:
    """From version 6 on the input holds the cache for every provider."""
    usage: dict[str, Any] = {"ai__usage__inputTokens": 100, "ai__usage__inputTokenDetails__noCacheTokens": 40}
    found = call(ai__model__provider="anthropic.messages", ai__usage__cachedInputTokens=60, **usage)

    assert found.usage == Usage(input_tokens=100, cache_read_tokens=60)


def test_milliseconds_to_the_first_chunk() -> None:
    """The time to the first chunk is in milliseconds, with a fraction."""
    found = call("ai.streamText.doStream", ai__response__msToFirstChunk=12.5)

    assert (found.streaming, found.time_to_first_token_ns) == (True, 12_500_000)


def test_every_part_of_a_prompt() -> None:
    """Reasoning, media, calls and results are read in the words of version 4 and of the later ones."""
    prompt = """[{"role":"user","content":[{"type":"file","mediaType":"image/png","data":"QUJD"},
      {"type":"image","image":"https://a.example/b.png"}]},
     {"role":"assistant","content":[{"type":"reasoning","text":"hm"},
      {"type":"tool-call","toolCallId":"1","toolName":"f","args":{"a":1}}]},
     {"role":"tool","content":[{"type":"tool-result","toolCallId":"1","toolName":"f","result":"old"},
      {"type":"tool-result","toolCallId":"2","toolName":"f","output":{"type":"text","value":"new"}}]}]"""

    assert call(ai__prompt__messages=prompt).input == Content(
        messages=(
            Message(
                role="user",
                parts=(
                    MediaPart(modality="image", mime_type="image/png", data="QUJD"),
                    MediaPart(modality="image", uri="https://a.example/b.png"),
                ),
            ),
            Message(role="assistant", parts=(ReasoningPart("hm"), ToolCallPart(id="1", name="f", arguments={"a": 1}))),
            Message(role="tool", parts=(ToolResultPart(id="1", result="old"), ToolResultPart(id="2", result="new"))),
        )
    )


def test_an_object_is_an_answer() -> None:
    """A generated object is what the model said, and its finish reason has its common spelling."""
    found = call(
        "ai.generateObject.doGenerate", ai__response__object='{"a":1}', ai__response__finishReason="tool-calls"
    )

    (message,) = found.output.messages
    assert (message.parts, found.finish_reasons) == ((TextPart('{"a":1}'),), ("tool_calls",))


def test_a_ranking_is_of_documents() -> None:
    """A reranker's output is the documents in their new order."""
    found = call(
        "ai.rerank.doRerank", ai__ranking=['{"index":1,"relevanceScore":0.9}', '{"index":0,"relevanceScore":0.1}']
    )

    assert (found.kind, found.output) == (
        "reranker",
        Content(documents=(Document(id="1", score=0.9), Document(id="0", score=0.1))),
    )


def test_an_operation_to_come_is_not_lost() -> None:
    """An operation this version does not know is a model call where it does something, else what is around one."""
    assert (call("ai.decide.doDecide").kind, call("ai.decide").kind) == ("llm", "workflow")


@pytest.mark.parametrize("operation", [["a"], 7, b"x", {"a": 1}])
def test_an_operation_that_is_no_text(operation: Any) -> None:
    """A key of the SDK with a value of another kind is read as far as it goes."""
    found = span(
        {"gen_ai.client.operation.duration": 1.0, "gen_ai.operation.name": operation, "gen_ai.agent.name": "a"}
    )

    assert (found.dialects, found.agent_name) == (("vercel", "otel_genai"), "a")
