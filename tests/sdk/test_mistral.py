"""`wrap` on the real mistralai client: against the real local model, and a loopback server for what that cannot do."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from typing import Any

import pytest
from mistralai.client import Mistral
from mistralai.client.errors import HTTPValidationError, ResponseValidationError, SDKError
from mistralai.client.utils.eventstreaming import EventStream
from mistralai.extra.observability import configure_telemetry
from opentelemetry import trace
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from pydantic import BaseModel

import watchkeeper as wk
from tests import fake_mistral, fake_openai
from tests.sdk import local_model
from tests.sdk.test_openai import MESSAGES, TOOLS, only, told
from watchkeeper.sdk.encode import LIMIT
from watchkeeper.sdk.wrappers.mistral_core import CompletionFold


class Place(BaseModel):
    city: str


@pytest.fixture(scope="module")
def server_url() -> Iterator[str]:
    """Run the fake."""
    server = fake_mistral.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()


@pytest.fixture
def client(server_url: str) -> Mistral:
    """Give a wrapped client of the fake."""
    return wk.wrap(Mistral(api_key="none", server_url=server_url))


@pytest.fixture(scope="module")
def local() -> Iterator[str]:
    """Run the real model."""
    with local_model.engine() as url:
        yield url


@pytest.mark.parametrize(("model", "kind"), [("broken", SDKError), ("invalid", HTTPValidationError)])
def test_an_error_is_raised_unchanged_and_recorded(
    client: Mistral, exported: InMemorySpanExporter, model: str, kind: type[Exception]
) -> None:
    """A failing call raises the client's own error, whole or streamed, and its span says so."""
    with pytest.raises(kind):
        client.chat.complete(model=model, messages=MESSAGES)
    with pytest.raises(kind):
        client.chat.stream(model=model, messages=MESSAGES)
    wk.flush()

    for span in exported.get_finished_spans():
        assert span.status.status_code is StatusCode.ERROR
        assert told(span)["error.type"] == kind.__name__


def test_a_request_the_client_refuses_is_its_error(client: Mistral, exported: InMemorySpanExporter) -> None:
    """Arguments that make no sense raise what they raise without us, and what could not be described is left out."""
    bad: Any = object()
    with pytest.raises(ValueError, match="valid list"):
        client.chat.complete(model="mistral-medium-latest", messages=bad)

    assert only(exported).status.status_code is StatusCode.ERROR


def test_a_stream_that_breaks_is_an_error_with_what_came(client: Mistral, exported: InMemorySpanExporter) -> None:
    """A stream that fails half-way raises the client's error, and the span has the text until then."""
    with pytest.raises(ResponseValidationError):
        list(client.chat.stream(model="cut-off", messages=MESSAGES))
    span = only(exported)

    assert span.status.status_code is StatusCode.ERROR
    assert "It is sunny" in told(span)["gen_ai.output.messages"]


def test_chat_says_everything(client: Mistral, server_url: str, exported: InMemorySpanExporter) -> None:
    """A chat call's span carries model, parameters, messages, every token bucket and the finish reason."""
    answer = client.chat.complete(
        model="mistral-medium-latest", messages=MESSAGES, temperature=0.2, max_tokens=9, random_seed=7, stop=["END"]
    )
    found = told(only(exported))

    assert answer.choices[0].message is not None
    assert answer.choices[0].message.content == fake_openai.ANSWER
    assert json.loads(found.pop("gen_ai.input.messages")) == [
        {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
        {"role": "user", "parts": [{"type": "text", "content": "Weather in Bern?"}]},
    ]
    assert json.loads(found.pop("gen_ai.output.messages")) == [
        {"role": "assistant", "parts": [{"type": "text", "content": fake_openai.ANSWER}], "finish_reason": "stop"}
    ]
    assert found == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "mistral_ai",
        "gen_ai.request.model": "mistral-medium-latest",
        "gen_ai.request.temperature": 0.2,
        "gen_ai.request.max_tokens": 9,
        "gen_ai.request.seed": 7,
        "gen_ai.request.stop_sequences": ("END",),
        "gen_ai.response.id": "cmpl-1",
        "gen_ai.response.model": fake_mistral.MODEL,
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.cache_read.input_tokens": 64,
        "server.address": "127.0.0.1",
        "server.port": int(server_url.rpartition(":")[2]),
    }


def test_a_stream_is_the_same_with_and_without_us(
    client: Mistral, server_url: str, exported: InMemorySpanExporter
) -> None:
    """The caller gets the events it would get without us, and the span has the text, the usage and the first token."""
    bare = Mistral(api_key="none", server_url=server_url).chat.stream(model="m", messages=MESSAGES)
    stream = client.chat.stream(model="m", messages=MESSAGES)
    kind, events = type(stream), list(stream)
    found = told(only(exported))

    assert kind is EventStream
    assert events == list(bare)
    assert json.loads(found["gen_ai.output.messages"])[0]["parts"] == [
        {"type": "text", "content": fake_openai.ANSWER + " "}
    ]
    assert found["gen_ai.usage.input_tokens"] == 100
    assert found["gen_ai.usage.cache_read.input_tokens"] == 64
    assert found["gen_ai.request.stream"] is True
    assert found["gen_ai.response.time_to_first_chunk"] > 0


@pytest.mark.parametrize("leave", ["close", "with", "drop"])
def test_a_stream_left_early_ends_its_span_without_error(
    client: Mistral, exported: InMemorySpanExporter, leave: str
) -> None:
    """A stream closed, left or dropped half-way gives one span with what had come."""
    stream = client.chat.stream(model="m", messages=MESSAGES)
    next(stream)
    next(stream)
    if leave == "close":
        stream.close()  # type: ignore[no-untyped-call]  # the client leaves it untyped
    elif leave == "with":
        with stream:
            pass
    del stream
    gc.collect()
    span = only(exported)

    assert span.status.status_code is StatusCode.UNSET
    assert json.loads(told(span)["gen_ai.output.messages"])[0]["parts"][0]["content"] == "It "


@pytest.mark.parametrize("streamed", [False, True])
def test_tools(client: Mistral, exported: InMemorySpanExporter, *, streamed: bool) -> None:
    """A tool call is recorded whole, streamed or not, with the definitions that were offered."""
    if streamed:
        list(client.chat.stream(model="m", messages=MESSAGES, tools=TOOLS))
    else:
        client.chat.complete(model="m", messages=MESSAGES, tools=TOOLS)
    found = told(only(exported))

    assert json.loads(found["gen_ai.output.messages"]) == [
        {
            "role": "assistant",
            "parts": [{"type": "tool_call", "id": "D681PevKs", "name": "get_weather", "arguments": '{"city": "Bern"}'}],
            "finish_reason": "tool_calls",
        }
    ]
    assert json.loads(found["gen_ai.tool.definitions"]) == [
        {"type": "function", "name": "get_weather", "parameters": {"type": "object"}}
    ]


@pytest.mark.parametrize("streamed", [False, True])
def test_thinking_is_reasoning(client: Mistral, exported: InMemorySpanExporter, *, streamed: bool) -> None:
    """Thinking chunks become a reasoning part before the answer's text."""
    if streamed:
        list(client.chat.stream(model="magistral", messages=MESSAGES))
    else:
        client.chat.complete(model="magistral", messages=MESSAGES)

    assert json.loads(told(only(exported))["gen_ai.output.messages"])[0]["parts"] == [
        {"type": "reasoning", "content": fake_mistral.THOUGHT},
        {"type": "text", "content": fake_openai.ANSWER},
    ]


def test_a_talk_in_the_clients_own_objects(client: Mistral, exported: InMemorySpanExporter) -> None:
    """The client's own messages, tool results, pictures and documents get the convention's shapes."""
    first = client.chat.complete(model="m", messages=MESSAGES, tools=TOOLS)
    wk.flush()
    exported.clear()
    picture = {"type": "image_url", "image_url": "data:image/png;base64,QUJD"}
    paper = {"type": "document_url", "document_url": "https://example.com/a.pdf"}
    talk: list[Any] = [
        {"role": "user", "content": [{"type": "text", "text": "Weather here?"}, picture, paper]},
        first.choices[0].message,
        {"role": "tool", "tool_call_id": "D681PevKs", "name": "get_weather", "content": "sunny"},
    ]
    client.chat.complete(model="m", messages=talk)

    user, assistant, tool = json.loads(told(only(exported))["gen_ai.input.messages"])
    assert user["parts"] == [
        {"type": "text", "content": "Weather here?"},
        {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "QUJD"},
        {"type": "uri", "modality": "file", "uri": "https://example.com/a.pdf"},
    ]
    assert assistant["parts"][0]["name"] == "get_weather"
    assert tool["parts"] == [{"type": "tool_call_response", "id": "D681PevKs", "response": "sunny"}]


def test_structured_outputs_come_back_parsed(client: Mistral, exported: InMemorySpanExporter) -> None:
    """`parse` gives the app its own model, and one span with the JSON that the model wrote."""
    answer = client.chat.parse(Place, model="m", messages=MESSAGES)

    assert answer.choices is not None
    assert answer.choices[0].message is not None
    assert answer.choices[0].message.parsed == Place(city="Bern")
    assert json.loads(told(only(exported))["gen_ai.output.messages"])[0]["parts"][0]["content"] == '{"city": "Bern"}'


def test_embeddings_keep_no_vectors(client: Mistral, exported: InMemorySpanExporter) -> None:
    """An embedding call's span has its texts, tokens and dimension, not its vectors."""
    client.embeddings.create(model="mistral-embed", inputs=["hello", "you"])
    span = only(exported)
    found = told(span)

    assert span.name == "embeddings mistral-embed"
    assert found["gen_ai.usage.input_tokens"] == 5
    assert found["gen_ai.embeddings.dimension.count"] == 3
    assert json.loads(found["watchkeeper.input"]) == ["hello", "you"]
    assert "0.2" not in json.dumps(found)


def test_filling_in_the_middle_and_agents(client: Mistral, server_url: str, exported: InMemorySpanExporter) -> None:
    """Code completion and agents are traced, and a call sent elsewhere says where."""
    client.fim.complete(model="codestral-latest", prompt="def f(", suffix="return a+b")
    client.agents.complete(agent_id="ag-1", messages=MESSAGES, server_url=server_url.replace("127.0.0.1", "localhost"))
    wk.flush()
    fim, agent = (told(span) for span in exported.get_finished_spans())

    assert fim["gen_ai.operation.name"] == "text_completion"
    assert [part["content"] for part in json.loads(fim["gen_ai.input.messages"])[0]["parts"]] == [
        "def f(",
        "return a+b",
    ]
    assert agent["gen_ai.agent.id"] == "ag-1"
    assert agent["server.address"] == "localhost"


async def test_async(server_url: str, exported: InMemorySpanExporter) -> None:
    """The async methods are traced as the sync ones are: whole, streamed, left early, failing."""
    async with wk.wrap(Mistral(api_key="none", server_url=server_url)) as client:
        await client.chat.complete_async(model="m", messages=MESSAGES)
        stream = await client.chat.stream_async(model="m", messages=MESSAGES)
        events = [event async for event in stream]
        async with await client.chat.stream_async(model="m", messages=MESSAGES):
            pass
        with pytest.raises(SDKError):
            await client.chat.complete_async(model="broken", messages=MESSAGES)
        await client.embeddings.create_async(model="mistral-embed", inputs=["hello"])
    wk.flush()
    whole, streamed, left, failed, embedded = exported.get_finished_spans()

    assert len(events) == 6
    assert told(whole)["gen_ai.usage.output_tokens"] == told(streamed)["gen_ai.usage.output_tokens"] == 20
    assert left.status.status_code is StatusCode.UNSET
    assert failed.status.status_code is StatusCode.ERROR
    assert told(embedded)["gen_ai.usage.input_tokens"] == 5


def test_wrapping_twice_is_once_and_keeps_the_type(client: Mistral, exported: InMemorySpanExporter) -> None:
    """A client wrapped twice is the same client, of the same type, and traces once."""
    again = wk.wrap(client)
    again.chat.complete(model="m", messages=MESSAGES)

    assert again is client
    assert type(again) is Mistral
    assert only(exported).name == "chat m"


def test_the_clients_own_tracing_does_not_count_twice(client: Mistral, exported: InMemorySpanExporter) -> None:
    """With the client's own telemetry switched on, a traced call is still one span; its other calls keep theirs."""
    configure_telemetry(client, provider=trace.get_tracer_provider())
    client.chat.complete(model="m", messages=MESSAGES)
    list(client.chat.stream(model="m", messages=MESSAGES))
    wk.flush()
    ours = [span.name for span in exported.get_finished_spans()]
    client.classifiers.moderate  # noqa: B018 - not traced by us
    with pytest.raises(SDKError):
        client.ocr.process(model="broken", document={"type": "document_url", "document_url": "https://example.com"})
    wk.flush()

    assert ours == ["chat m", "chat m"]
    assert len(exported.get_finished_spans()) == 3


def test_without_content(provider: object, client: Mistral) -> None:
    """With content off, neither prompts nor answers leave the process."""
    exporter = InMemorySpanExporter()
    wk.init("quiet", endpoint="http://127.0.0.1:9", exporter=exporter, content=False)
    client.chat.complete(model="m", messages=MESSAGES, tools=TOOLS)
    list(client.chat.stream(model="m", messages=MESSAGES))
    client.embeddings.create(model="mistral-embed", inputs=["Bern"])
    wk.flush()
    found = [told(span) for span in exporter.get_finished_spans()]
    wk.shutdown()

    assert "Bern" not in json.dumps(found)
    assert found[0]["gen_ai.usage.input_tokens"] == 100


def test_a_long_stream_is_kept_within_a_bound() -> None:
    """What is kept of a stream's text never outgrows the limit; the rest is counted."""

    class Delta:
        content = "x" * 1_000

    class Choice:
        index = 0
        delta = Delta()

    class Chunk:
        choices = (Choice(),)

    fold = CompletionFold()
    for _ in range(LIMIT // 1_000 + 100):
        fold.add(Chunk())
    text = json.loads(fold.fields(content=True)["gen_ai.output.messages"])[0]["parts"][0]["content"]

    assert len(text) < LIMIT + 100
    assert text.endswith("more characters]")


@pytest.mark.slow
@pytest.mark.model
def test_the_real_model_through_server_url(local: str, exported: InMemorySpanExporter) -> None:
    """A local model's chat, its stream, its structured output and its refusal of embeddings are traced as Mistral's are."""
    client = wk.wrap(Mistral(api_key="none", server_url=local))
    talk: Any = [{"role": "user", "content": "Tell me about Switzerland."}]
    whole = client.chat.complete(model=local_model.MODEL, messages=talk, max_tokens=8, temperature=0, tools=TOOLS)
    with client.chat.stream(model=local_model.MODEL, messages=talk, max_tokens=8, temperature=0) as stream:
        pieces = [event.data.choices[0].delta.content for event in stream if event.data.choices]
    asked: Any = [{"role": "user", "content": "The city is Bern. Answer as JSON."}]
    client.chat.parse(Place, model=local_model.MODEL, messages=asked, max_tokens=64, temperature=0)
    with pytest.raises(SDKError, match="embeddings"):
        client.embeddings.create(model=local_model.MODEL, inputs="hello")
    wk.flush()
    first, second, parsed, refused = exported.get_finished_spans()

    assert told(first)["gen_ai.usage.input_tokens"] == whole.usage.prompt_tokens
    assert told(first)["gen_ai.usage.output_tokens"] == 8
    assert told(first)["gen_ai.response.finish_reasons"] == ("length",)
    assert told(first)["gen_ai.tool.definitions"]
    said = json.loads(told(second)["gen_ai.output.messages"])[0]["parts"][0]["content"]
    assert said == "".join(piece for piece in pieces if isinstance(piece, str))
    assert told(second)["gen_ai.response.time_to_first_chunk"] > 0
    assert "city" in told(parsed)["gen_ai.output.messages"]
    assert refused.status.status_code is StatusCode.ERROR


@pytest.mark.slow
@pytest.mark.model
async def test_the_real_model_async(local: str, exported: InMemorySpanExporter) -> None:
    """The async methods on the real model give the same spans."""
    client = wk.wrap(Mistral(api_key="none", server_url=local))
    talk: Any = [{"role": "user", "content": "Tell me about Switzerland."}]
    await client.chat.complete_async(model=local_model.MODEL, messages=talk, max_tokens=8, temperature=0)
    stream = await client.chat.stream_async(model=local_model.MODEL, messages=talk, max_tokens=8, temperature=0)
    async for _ in stream:
        pass
    wk.flush()

    assert [span.name for span in exported.get_finished_spans()] == [f"chat {local_model.MODEL}"] * 2
