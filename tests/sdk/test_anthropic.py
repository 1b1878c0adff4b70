"""`wrap` on the real anthropic client: against the real local model, and a loopback server for what that cannot do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from anthropic import (
    Anthropic,
    AnthropicBedrock,
    AnthropicVertex,
    APIStatusError,
    AsyncAnthropic,
    InternalServerError,
    Stream,
    beta_tool,
)
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from pydantic import BaseModel

import watchkeeper as wk
from tests import fake_anthropic, fake_openai
from tests.sdk import local_model
from tests.sdk.test_openai import only, told
from watchkeeper.sdk.wrappers.providers import provider_of_client

MESSAGES: list[Any] = [{"role": "user", "content": "Weather in Bern?"}]
TOOLS: list[Any] = [{"name": "get_weather", "description": "Look.", "input_schema": {"type": "object"}}]


class Place(BaseModel):
    city: str


@beta_tool
def get_weather(city: str) -> str:
    """Look at the weather.

    Args:
        city: where.
    """
    return f"sunny in {city}"


@pytest.fixture(scope="module")
def server() -> Iterator[fake_anthropic.Server]:
    """Run the fake."""
    running = fake_anthropic.start()
    yield running
    running.shutdown()


@pytest.fixture(scope="module")
def url(server: fake_anthropic.Server) -> str:
    """Give the fake's address."""
    return f"http://127.0.0.1:{server.server_address[1]}"


@pytest.fixture
def client(url: str) -> Anthropic:
    """Give a wrapped client of the fake."""
    return wk.wrap(Anthropic(base_url=url, api_key="none", max_retries=0))


@pytest.fixture(scope="module")
def local() -> Iterator[str]:
    """Run the real model."""
    with local_model.engine() as address:
        yield address


def test_an_error_is_raised_unchanged_and_recorded(client: Anthropic, exported: InMemorySpanExporter) -> None:
    """A failing call raises the client's own error, whole or streamed, and its span says so."""
    with pytest.raises(InternalServerError, match="the model is broken"):
        client.messages.create(model="broken", max_tokens=9, messages=MESSAGES)
    with (
        pytest.raises(InternalServerError),
        client.messages.stream(model="broken", max_tokens=9, messages=MESSAGES),
    ):
        pass
    wk.flush()
    spans = exported.get_finished_spans()

    assert [span.status.status_code for span in spans] == [StatusCode.ERROR] * 2
    assert [told(span)["error.type"] for span in spans] == ["InternalServerError"] * 2


def test_an_error_in_a_stream_is_recorded_with_what_came(client: Anthropic, exported: InMemorySpanExporter) -> None:
    """An error event half-way raises the client's error, and the span has the text until then."""
    with pytest.raises(APIStatusError, match="Overloaded"):
        list(client.messages.create(model="cut-off", max_tokens=9, messages=MESSAGES, stream=True))
    span = only(exported)

    assert span.status.status_code is StatusCode.ERROR
    assert fake_openai.ANSWER in told(span)["gen_ai.output.messages"]
    assert told(span)["gen_ai.usage.input_tokens"] == 100


def test_a_message_says_everything(client: Anthropic, url: str, exported: InMemorySpanExporter) -> None:
    """A call's span carries model, parameters, content, every token bucket; the input holds what the cache served."""
    answer = client.messages.create(
        model="claude-sonnet-5", max_tokens=9, messages=MESSAGES, system="Be brief.", stop_sequences=["END"],
        extra_body={"temperature": 0.2, "top_k": 5},
    )  # fmt: skip
    found = told(only(exported))

    assert answer.usage.input_tokens == 10
    assert json.loads(found.pop("gen_ai.system_instructions")) == [{"type": "text", "content": "Be brief."}]
    assert json.loads(found.pop("gen_ai.input.messages")) == [
        {"role": "user", "parts": [{"type": "text", "content": "Weather in Bern?"}]}
    ]
    assert json.loads(found.pop("gen_ai.output.messages")) == [
        {"role": "assistant", "parts": [{"type": "text", "content": fake_openai.ANSWER}], "finish_reason": "end_turn"}
    ]
    assert found == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "claude-sonnet-5",
        "gen_ai.request.temperature": 0.2,
        "gen_ai.request.max_tokens": 9,
        "gen_ai.request.top_k": 5,
        "gen_ai.request.stop_sequences": ("END",),
        "gen_ai.response.id": "msg_1",
        "gen_ai.response.model": fake_anthropic.MODEL,
        "gen_ai.response.finish_reasons": ("end_turn",),
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.cache_read.input_tokens": 64,
        "gen_ai.usage.cache_write.input_tokens": 26,
        "gen_ai.usage.reasoning.output_tokens": 7,
        "anthropic.usage.cache_creation.ephemeral_1h_input_tokens": 6,
        "server.address": "127.0.0.1",
        "server.port": int(url.rpartition(":")[2]),
    }


def test_a_stream_is_the_same_with_and_without_us(client: Anthropic, url: str, exported: InMemorySpanExporter) -> None:
    """The caller gets the events it would get without us, and the span has what a whole answer's has."""
    bare = Anthropic(base_url=url, api_key="none", open_telemetry=False).messages.create(
        model="m", max_tokens=9, messages=MESSAGES, stream=True
    )
    stream = client.messages.create(model="m", max_tokens=9, messages=MESSAGES, stream=True)
    kind, events = type(stream), list(stream)
    found = told(only(exported))

    assert kind is Stream
    assert events == list(bare)
    assert json.loads(found["gen_ai.output.messages"]) == [
        {"role": "assistant", "parts": [{"type": "text", "content": fake_openai.ANSWER}], "finish_reason": "end_turn"}
    ]
    assert found["gen_ai.usage.input_tokens"] == 100
    assert found["gen_ai.usage.output_tokens"] == 20
    assert found["gen_ai.request.stream"] is True
    assert found["gen_ai.response.time_to_first_chunk"] > 0


def test_the_stream_helper(client: Anthropic, exported: InMemorySpanExporter) -> None:
    """`messages.stream` gives its texts and its final message as without us, and one span."""
    with client.messages.stream(model="m", max_tokens=9, messages=MESSAGES) as stream:
        texts = list(stream.text_stream)
        final = stream.get_final_message()
    found = told(only(exported))

    assert "".join(texts) == fake_openai.ANSWER
    assert final.usage.output_tokens == 20
    assert found["gen_ai.usage.output_tokens"] == 20
    assert fake_openai.ANSWER in found["gen_ai.output.messages"]


@pytest.mark.parametrize("leave", ["helper", "close", "drop"])
def test_a_stream_left_early_ends_its_span_without_error(
    client: Anthropic, exported: InMemorySpanExporter, leave: str
) -> None:
    """A stream left, closed or dropped half-way gives one span with what had come, at once."""
    if leave == "helper":
        with client.messages.stream(model="m", max_tokens=9, messages=MESSAGES) as helper:
            next(helper.text_stream)
    else:
        stream = client.messages.create(model="m", max_tokens=9, messages=MESSAGES, stream=True)
        for _ in range(3):
            next(stream)
        if leave == "close":
            stream.close()
        del stream
    span = only(exported)

    assert span.status.status_code is StatusCode.UNSET
    assert json.loads(told(span)["gen_ai.output.messages"])[0]["parts"] == [{"type": "text", "content": "It"}]
    assert told(span)["gen_ai.usage.input_tokens"] == 100


@pytest.mark.parametrize("streamed", [False, True])
def test_tools_and_thinking(client: Anthropic, exported: InMemorySpanExporter, *, streamed: bool) -> None:
    """Thinking is a reasoning part and a tool call has its whole input, streamed or not."""
    thinking: Any = {"type": "enabled", "budget_tokens": 1024}
    for more in ({"tools": TOOLS}, {"thinking": thinking}):
        answer: Any = client.messages.create(model="m", max_tokens=9, messages=MESSAGES, stream=streamed, **more)
        list(answer)
    wk.flush()
    tools, thoughts = (told(span) for span in exported.get_finished_spans())

    assert json.loads(tools["gen_ai.tool.definitions"]) == [
        {"type": "function", "name": "get_weather", "description": "Look.", "parameters": {"type": "object"}}
    ]
    assert json.loads(tools["gen_ai.output.messages"])[0] == {
        "role": "assistant",
        "parts": [
            {"type": "text", "content": "Let me look."},
            {"type": "tool_call", "id": "toolu_1", "name": "get_weather", "arguments": {"city": "Bern"}},
        ],
        "finish_reason": "tool_use",
    }
    assert json.loads(thoughts["gen_ai.output.messages"])[0]["parts"] == [
        {"type": "reasoning", "content": fake_anthropic.THOUGHT},
        {"type": "text", "content": fake_openai.ANSWER},
    ]


def test_a_talk_with_pictures_papers_and_tool_results(client: Anthropic, exported: InMemorySpanExporter) -> None:
    """Blocks, dicts or the client's own objects, get the convention's shapes; a turn of tool results is a tool's."""
    first = client.messages.create(model="m", max_tokens=9, messages=MESSAGES, tools=TOOLS)
    wk.flush()
    exported.clear()
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QUJD"}}
    paper = {"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "sunny"}]}
    talk: list[Any] = [
        {"role": "user", "content": [picture, paper, {"type": "text", "text": "Weather here?"}]},
        {"role": "assistant", "content": first.content},
        {"role": "user", "content": [result]},
    ]
    system: Any = [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}]
    client.messages.create(model="m", max_tokens=9, messages=talk, tools=TOOLS, system=system)
    found = told(only(exported))

    user, assistant, tool = json.loads(found["gen_ai.input.messages"])
    assert user["parts"] == [
        {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "QUJD"},
        {"type": "uri", "modality": "file", "uri": "https://example.com/a.pdf"},
        {"type": "text", "content": "Weather here?"},
    ]
    assert assistant["parts"][1]["arguments"] == {"city": "Bern"}
    assert tool == {
        "role": "tool",
        "parts": [{"type": "tool_call_response", "id": "toolu_1", "response": "sunny"}],
    }
    assert json.loads(found["gen_ai.system_instructions"]) == [{"type": "text", "content": "Be brief."}]


def test_structured_outputs_come_back_parsed(client: Anthropic, exported: InMemorySpanExporter) -> None:
    """`messages.parse` gives the app its own model, and one span with the JSON that the model wrote."""
    answer = client.messages.parse(model="m", max_tokens=9, messages=MESSAGES, output_format=Place)

    assert answer.parsed_output == Place(city="Bern")
    assert json.loads(told(only(exported))["gen_ai.output.messages"])[0]["parts"][0]["content"] == '{"city": "Bern"}'


def test_beta_resources_and_the_tool_runner(client: Anthropic, exported: InMemorySpanExporter) -> None:
    """Beta messages are traced, and a tool runner's turns are one span each."""
    client.beta.messages.create(model="m", max_tokens=9, messages=MESSAGES)
    runner = client.beta.messages.tool_runner(model="m", max_tokens=9, messages=MESSAGES, tools=[get_weather])
    runner.until_done()
    wk.flush()
    chats = [span for span in exported.get_finished_spans() if span.name == "chat m"]

    assert len(chats) == 3
    assert "sunny in Bern" in told(chats[2])["gen_ai.input.messages"]


def test_the_clients_own_spans_do_not_count_twice(
    client: Anthropic, server: fake_anthropic.Server, exported: InMemorySpanExporter
) -> None:
    """A traced call is one span, and it is ours that the provider is told of; calls we leave alone keep the client's."""
    client.messages.create(model="m", max_tokens=9, messages=MESSAGES)
    list(client.messages.create(model="m", max_tokens=9, messages=MESSAGES, stream=True))
    list(client.with_options(timeout=9).messages.create(model="m", max_tokens=9, messages=MESSAGES, stream=True))
    parent = server.headers["traceparent"].split("-")
    client.messages.count_tokens(model="m", messages=MESSAGES)
    wk.flush()
    spans = exported.get_finished_spans()
    context = spans[2].context

    assert [span.name for span in spans] == ["chat m"] * 3 + ["anthropic.messages.count_tokens"]
    assert context is not None
    assert parent[1:3] == [f"{context.trace_id:032x}", f"{context.span_id:016x}"]


def test_a_client_told_not_to_trace_itself_stays_so(url: str, exported: InMemorySpanExporter) -> None:
    """`open_telemetry=False` is kept: counting tokens makes no span."""
    client = wk.wrap(Anthropic(base_url=url, api_key="none", open_telemetry=False))
    client.messages.count_tokens(model="m", messages=MESSAGES)
    client.messages.create(model="m", max_tokens=9, messages=MESSAGES)

    assert only(exported).name == "chat m"


def test_raw_and_streamed_responses(client: Anthropic, exported: InMemorySpanExporter) -> None:
    """`with_raw_response` and `with_streaming_response` are described once their body is read."""
    raw = client.messages.with_raw_response.create(model="m", max_tokens=9, messages=MESSAGES)
    with client.messages.with_streaming_response.create(
        model="m", max_tokens=9, messages=MESSAGES, stream=True
    ) as response:
        events = list(response.parse())
    wk.flush()
    spans = [told(span) for span in exported.get_finished_spans()]

    assert raw.parse().usage.output_tokens == 20
    assert events[-1].type == "message_stop"
    assert [found["gen_ai.usage.input_tokens"] for found in spans] == [100, 100]
    assert all(fake_openai.ANSWER in found["gen_ai.output.messages"] for found in spans)


async def test_async(url: str, exported: InMemorySpanExporter) -> None:
    """The async client is traced as the sync one is: whole, streamed, by the helper, left early, failing."""
    client = wk.wrap(AsyncAnthropic(base_url=url, api_key="none", max_retries=0))
    await client.messages.create(model="m", max_tokens=9, messages=MESSAGES)
    async for _ in await client.messages.create(model="m", max_tokens=9, messages=MESSAGES, stream=True):
        pass
    async with client.messages.stream(model="m", max_tokens=9, messages=MESSAGES) as stream:
        texts = [text async for text in stream.text_stream]
    async with client.messages.stream(model="m", max_tokens=9, messages=MESSAGES):
        pass
    with pytest.raises(InternalServerError):
        await client.messages.create(model="broken", max_tokens=9, messages=MESSAGES)
    wk.flush()
    *whole, left, failed = exported.get_finished_spans()

    assert "".join(texts) == fake_openai.ANSWER
    assert [told(span)["gen_ai.usage.output_tokens"] for span in whole] == [20, 20, 20]
    assert left.status.status_code is StatusCode.UNSET
    assert failed.status.status_code is StatusCode.ERROR


def test_wrapping_twice_is_once_and_keeps_the_type(client: Anthropic, exported: InMemorySpanExporter) -> None:
    """A client wrapped twice is the same client, of the same type, and traces once."""
    again = wk.wrap(client)
    again.messages.create(model="m", max_tokens=9, messages=MESSAGES)

    assert again is client
    assert type(again) is Anthropic
    assert only(exported).name == "chat m"


def test_clouds_are_named() -> None:
    """The clients made for Bedrock and Vertex say that the cloud answers."""
    bedrock = wk.wrap(AnthropicBedrock(aws_region="eu-central-1", aws_access_key="a", aws_secret_key="b"))
    vertex = wk.wrap(AnthropicVertex(region="europe-west1", project_id="p", access_token="t"))

    assert provider_of_client(bedrock, bedrock.base_url.host, "anthropic") == "aws.bedrock"
    assert provider_of_client(vertex, vertex.base_url.host, "anthropic") == "gcp.vertex_ai"


def test_without_content(provider: object, client: Anthropic) -> None:
    """With content off, neither prompts nor answers leave the process."""
    exporter = InMemorySpanExporter()
    wk.init("quiet", endpoint="http://127.0.0.1:9", exporter=exporter, content=False)
    client.messages.create(model="m", max_tokens=9, messages=MESSAGES, tools=TOOLS, system="In Bern.")
    list(client.messages.create(model="m", max_tokens=9, messages=MESSAGES, stream=True))
    wk.flush()
    found = [told(span) for span in exporter.get_finished_spans()]
    wk.shutdown()

    assert "Bern" not in json.dumps(found)
    assert [one["gen_ai.usage.input_tokens"] for one in found] == [100, 100]


# The engine leaves out `message_start` where its first token is half a character, so the model is given no freedom.
SURE: Any = {
    "model": local_model.MODEL,
    "max_tokens": 8,
    "messages": [{"role": "user", "content": "Tell me about Switzerland."}],
    "extra_body": {"temperature": 0},
}


@pytest.mark.slow
@pytest.mark.model
def test_the_real_model(local: str, exported: InMemorySpanExporter) -> None:
    """A local model's messages and both kinds of stream are traced; what its cache served counts as input."""
    client = wk.wrap(Anthropic(base_url=local, api_key="none"))
    counted = client.messages.count_tokens(model=SURE["model"], messages=SURE["messages"]).input_tokens
    whole = client.messages.create(**SURE)
    list(client.messages.create(**SURE, stream=True))
    with client.messages.stream(**SURE) as stream:
        said = "".join(stream.text_stream)
    wk.flush()
    spans = [told(span) for span in exported.get_finished_spans() if span.name.startswith("chat")]

    assert [found["gen_ai.usage.input_tokens"] for found in spans] == [counted] * 3
    assert [found["gen_ai.usage.output_tokens"] for found in spans] == [whole.usage.output_tokens] * 3
    assert [found["gen_ai.response.finish_reasons"] for found in spans] == [("max_tokens",)] * 3
    assert json.loads(spans[2]["gen_ai.output.messages"])[0]["parts"] == [{"type": "text", "content": said}]


@pytest.mark.slow
@pytest.mark.model
async def test_the_real_model_async(local: str, exported: InMemorySpanExporter) -> None:
    """The async client on the real model gives the same spans."""
    client = wk.wrap(AsyncAnthropic(base_url=local, api_key="none"))
    await client.messages.create(**SURE)
    async with client.messages.stream(**SURE) as stream:
        await stream.get_final_message()
    wk.flush()

    assert [told(span)["gen_ai.usage.output_tokens"] for span in exported.get_finished_spans()] == [8, 8]
