"""`wrap` on the real openai client."""

from __future__ import annotations

import gc
import json
from typing import Any

import pytest
from openai import AsyncOpenAI, AzureOpenAI, InternalServerError, OpenAI, Stream
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from pydantic import BaseModel

import watchkeeper as wk
from tests import fake_openai
from watchkeeper.sdk.wrappers.providers import provider_of

MESSAGES: list[Any] = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Weather in Bern?"}]
TOOLS: list[Any] = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}]


def only(exported: InMemorySpanExporter) -> ReadableSpan:
    """Return the one span there is."""
    wk.flush()
    (span,) = exported.get_finished_spans()
    return span


def told(span: ReadableSpan) -> dict[str, Any]:
    """Return a span's attributes."""
    return dict(span.attributes or {})


def test_refuses_a_stranger() -> None:
    """Wrapping what is no known client raises TypeError."""
    with pytest.raises(TypeError, match="OpenAI"):
        wk.wrap(object())


def test_an_error_is_raised_unchanged_and_recorded(client: OpenAI, exported: InMemorySpanExporter) -> None:
    """A failing call raises the client's own error, and its span says so."""
    with pytest.raises(InternalServerError, match="the model is broken"):
        client.chat.completions.create(model="broken", messages=MESSAGES)
    span = only(exported)

    assert span.status.status_code is StatusCode.ERROR
    assert told(span)["error.type"] == "InternalServerError"


def test_chat_says_everything(client: OpenAI, exported: InMemorySpanExporter) -> None:
    """A chat call's span carries model, parameters, messages, every token bucket and the finish reason."""
    answer = client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, temperature=0.2, max_tokens=9)
    found = told(only(exported))

    assert answer.choices[0].message.content == "It is sunny in Bern."
    assert json.loads(found.pop("gen_ai.input.messages")) == [
        {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
        {"role": "user", "parts": [{"type": "text", "content": "Weather in Bern?"}]},
    ]
    assert json.loads(found.pop("gen_ai.output.messages")) == [
        {
            "role": "assistant",
            "parts": [{"type": "text", "content": "It is sunny in Bern."}],
            "finish_reason": "stop",
        }
    ]
    found.pop("server.port")
    assert found == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.request.temperature": 0.2,
        "gen_ai.request.max_tokens": 9,
        "gen_ai.response.id": "chatcmpl-1",
        "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.cache_read.input_tokens": 64,
        "gen_ai.usage.reasoning.output_tokens": 7,
        "gen_ai.usage.audio.input_tokens": 0,
        "gen_ai.usage.audio.output_tokens": 0,
        "server.address": "127.0.0.1",
    }


def test_a_stream_is_the_same_with_and_without_us(
    client: OpenAI, base_url: str, exported: InMemorySpanExporter
) -> None:
    """The caller sees the chunks it would see without us, and the span has the text, the usage and the first token."""
    bare = OpenAI(base_url=base_url, api_key="none").chat.completions.create(
        model="gpt-4o-mini", messages=MESSAGES, stream=True
    )
    stream = client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, stream=True)
    kind, chunks = type(stream), list(stream)
    found = told(only(exported))

    assert kind is Stream
    assert chunks == list(bare)
    assert json.loads(found["gen_ai.output.messages"])[0]["parts"][0]["content"] == "It is sunny in Bern."
    assert found["gen_ai.usage.input_tokens"] == 100
    assert found["gen_ai.request.stream"] is True
    assert found["gen_ai.response.time_to_first_chunk"] > 0


def test_usage_that_was_asked_for_is_kept(client: OpenAI, exported: InMemorySpanExporter) -> None:
    """A caller who asks for the usage chunk gets it."""
    stream = client.chat.completions.create(
        model="gpt-4o-mini", messages=MESSAGES, stream=True, stream_options={"include_usage": True}
    )

    assert list(stream)[-1].usage is not None


def test_tool_calls_are_put_together_from_deltas(client: OpenAI, exported: InMemorySpanExporter) -> None:
    """A streamed tool call is one call with its whole arguments."""
    list(client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, tools=TOOLS, stream=True))
    found = told(only(exported))

    assert json.loads(found["gen_ai.output.messages"]) == [
        {
            "role": "assistant",
            "parts": [{"type": "tool_call", "id": "call_1", "name": "get_weather", "arguments": '{"city": "Bern"}'}],
            "finish_reason": "tool_calls",
        }
    ]
    assert json.loads(found["gen_ai.tool.definitions"]) == [
        {"type": "function", "name": "get_weather", "parameters": {"type": "object"}}
    ]


def test_an_abandoned_stream_ends_its_span(client: OpenAI, exported: InMemorySpanExporter) -> None:
    """A stream that is dropped half-way still gives a span with what had come."""
    stream = client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, stream=True)
    next(stream)
    next(stream)
    del stream
    gc.collect()
    found = told(only(exported))

    assert json.loads(found["gen_ai.output.messages"])[0]["parts"][0]["content"] == "It "


def test_an_error_that_cannot_be_told_passes_through(client: OpenAI, exported: InMemorySpanExporter) -> None:
    """An exception whose own `__str__` fails comes out as it is, and its span still failed."""

    class Mute(Exception):  # noqa: N818 - a host's own
        def __str__(self) -> str:
            raise RuntimeError("not even this")

    @wk.observe
    def breaks() -> None:
        raise Mute

    with pytest.raises(Mute):
        breaks()

    assert only(exported).status.status_code is StatusCode.ERROR


@pytest.mark.parametrize("read", [0, 1])
def test_closing_a_stream_ends_its_span(client: OpenAI, exported: InMemorySpanExporter, read: int) -> None:
    """Leaving a stream early ends its span there and then, whether or not anything was read."""
    with client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, stream=True) as stream:
        for _ in range(read):
            next(stream)

    assert only(exported).status.status_code is StatusCode.UNSET


async def test_closing_an_async_stream_ends_its_span(async_client: AsyncOpenAI, exported: InMemorySpanExporter) -> None:
    """The same for an async stream."""
    async with await async_client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, stream=True):
        pass

    assert only(exported).name == "chat gpt-4o-mini"


def test_the_first_token_is_timed_from_the_request(client: OpenAI, exported: InMemorySpanExporter) -> None:
    """What the provider thinks before it answers counts: the time is at least what it was made to wait."""
    list(client.chat.completions.create(model="slow", messages=MESSAGES, stream=True))

    assert told(only(exported))["gen_ai.response.time_to_first_chunk"] >= fake_openai.SLOW_SECONDS


def test_messages_given_as_objects_and_media(client: OpenAI, exported: InMemorySpanExporter) -> None:
    """Tool calls handed back as the client's own objects, tool results and images get the convention's shapes."""
    first = client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, tools=TOOLS)
    wk.flush()
    exported.clear()
    image: Any = {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}}
    talk: list[Any] = [
        {"role": "user", "content": [{"type": "text", "text": "Weather here?"}, image]},
        first.choices[0].message,
        {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
    ]
    client.chat.completions.create(model="gpt-4o-mini", messages=talk)

    assert json.loads(told(only(exported))["gen_ai.input.messages"]) == [
        {
            "role": "user",
            "parts": [
                {"type": "text", "content": "Weather here?"},
                {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "QUJD"},
            ],
        },
        {
            "role": "assistant",
            "parts": [{"type": "tool_call", "id": "call_1", "name": "get_weather", "arguments": '{"city": "Bern"}'}],
        },
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "call_1", "response": "sunny"}]},
    ]


@pytest.mark.parametrize(
    ("host", "provider"),
    [
        ("api.openai.com", "openai"), ("acme.openai.azure.com", "azure.ai.openai"), ("api.mistral.ai", "mistral_ai"),
        ("europe-west1-aiplatform.googleapis.com", "gcp.vertex_ai"), ("eu.api.openai.com", "openai"),
        ("evil-api.mistral.ai.example.com", "openai"), ("127.0.0.1", "openai"), (None, "openai"),
    ],
)  # fmt: skip
def test_the_provider_is_read_from_the_address(host: str | None, provider: str) -> None:
    """A host known to speak OpenAI's API is named as OTel names it."""
    assert provider_of(host) == provider


def test_responses(client: OpenAI, exported: InMemorySpanExporter) -> None:
    """The Responses API gives the same fields, streaming or not."""
    client.responses.create(model="gpt-4o-mini", input="Weather?", instructions="Be brief.")
    list(client.responses.create(model="gpt-4o-mini", input="Weather?", stream=True))
    wk.flush()
    whole, streamed = (told(span) for span in exported.get_finished_spans())

    for found in (whole, streamed):
        assert json.loads(found["gen_ai.output.messages"])[0]["parts"] == [
            {"type": "text", "content": "It is sunny in Bern."}
        ]
        assert found["gen_ai.usage.cache_read.input_tokens"] == 64
        assert found["gen_ai.usage.reasoning.output_tokens"] == 7
    assert json.loads(whole["gen_ai.system_instructions"]) == [{"type": "text", "content": "Be brief."}]


def test_embeddings_keep_no_vectors(client: OpenAI, exported: InMemorySpanExporter) -> None:
    """An embedding call's span has its tokens and dimension, not its vectors."""
    client.embeddings.create(model="text-embedding-3-small", input="hello")
    found = told(only(exported))

    assert found["gen_ai.operation.name"] == "embeddings"
    assert found["gen_ai.usage.input_tokens"] == 5
    assert found["gen_ai.embeddings.dimension.count"] == 3
    assert "0.2" not in json.dumps(found)


async def test_async(async_client: AsyncOpenAI, exported: InMemorySpanExporter) -> None:
    """The async client is traced as the sync one is, streams too."""
    await async_client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES)
    stream = await async_client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, stream=True)
    chunks = [chunk async for chunk in stream]
    with pytest.raises(InternalServerError):
        await async_client.chat.completions.create(model="broken", messages=MESSAGES)
    wk.flush()
    whole, streamed, failed = exported.get_finished_spans()

    assert all(chunk.usage is None for chunk in chunks)
    assert told(whole)["gen_ai.usage.output_tokens"] == told(streamed)["gen_ai.usage.output_tokens"] == 20
    assert failed.status.status_code is StatusCode.ERROR


def test_copies_are_traced_and_wrapping_twice_is_once(client: OpenAI, exported: InMemorySpanExporter) -> None:
    """A copy, a copy's copy and a client wrapped twice trace each call once; the client keeps its type."""
    again = wk.wrap(client)
    again.with_options(timeout=5).with_options(timeout=6).chat.completions.create(model="m", messages=MESSAGES)

    assert again is client
    assert type(again) is OpenAI
    assert only(exported).name == "chat m"


def test_a_client_in_use_before_it_was_wrapped(base_url: str, exported: InMemorySpanExporter) -> None:
    """Resources that the app has taken from a client before are traced too."""
    client = OpenAI(base_url=base_url, api_key="none")
    completions = client.chat.completions
    wk.wrap(client)
    completions.create(model="m", messages=MESSAGES)

    assert only(exported).name == "chat m"


def test_a_raw_response_stays_raw_and_is_described(client: OpenAI, exported: InMemorySpanExporter) -> None:
    """`with_raw_response` gives its response as without us; the span has the answer, whole or streamed."""
    raw = client.chat.completions.with_raw_response.create(model="m", messages=MESSAGES)
    streamed = client.chat.completions.with_raw_response.create(model="m", messages=MESSAGES, stream=True)
    chunks = list(streamed.parse())
    wk.flush()
    first, second = (told(span) for span in exported.get_finished_spans())

    assert raw.headers["content-type"] == "application/json"
    assert raw.parse().choices[0].message.content == fake_openai.ANSWER
    assert first["gen_ai.usage.cache_read.input_tokens"] == 64
    assert fake_openai.ANSWER in first["gen_ai.output.messages"]
    assert chunks[-1].choices
    assert "sunny" in second["gen_ai.output.messages"]
    assert second["gen_ai.response.time_to_first_chunk"] > 0


@pytest.mark.parametrize("read", ["parse", "json", "lines", "nothing", "stream", "dropped"])
def test_a_streamed_response_is_described_as_far_as_it_is_read(
    client: OpenAI, exported: InMemorySpanExporter, read: str
) -> None:
    """`with_streaming_response` gives one span: with the answer where the body was read whole or as a stream."""
    kind = client.chat.completions.with_streaming_response
    if read == "stream":
        with kind.create(model="m", messages=MESSAGES, stream=True) as streamed:
            list(streamed.parse())
    elif read == "dropped":
        with kind.create(model="m", messages=MESSAGES, stream=True) as streamed:
            next(streamed.parse())
    else:
        with kind.create(model="m", messages=MESSAGES) as response:
            if read == "parse":
                assert response.parse().choices[0].message.content == fake_openai.ANSWER
            elif read == "json":
                response.json()
            elif read == "lines":
                list(response.iter_lines())
    span = only(exported)

    assert span.status.status_code is StatusCode.UNSET
    assert ("gen_ai.usage.input_tokens" in told(span)) == (read in {"parse", "json"})
    assert ("gen_ai.output.messages" in told(span)) == (read in {"parse", "json", "stream"})


async def test_async_raw_responses(async_client: AsyncOpenAI, exported: InMemorySpanExporter) -> None:
    """The same on the async client."""
    raw = await async_client.chat.completions.with_raw_response.create(model="m", messages=MESSAGES)
    async with async_client.chat.completions.with_streaming_response.create(model="m", messages=MESSAGES) as response:
        parsed = await response.parse()
    async with async_client.chat.completions.with_streaming_response.create(
        model="m", messages=MESSAGES, stream=True
    ) as streamed:
        async for _ in await streamed.parse():
            pass
    with pytest.raises(InternalServerError):
        await async_client.chat.completions.with_raw_response.create(model="broken", messages=MESSAGES)
    wk.flush()
    spans = exported.get_finished_spans()

    assert raw.parse() == parsed
    assert ["sunny" in told(span).get("gen_ai.output.messages", "") for span in spans] == [True, True, True, False]
    assert spans[3].status.status_code is StatusCode.ERROR


class Place(BaseModel):
    city: str


def test_structured_outputs_come_back_parsed(client: OpenAI, exported: InMemorySpanExporter) -> None:
    """`parse` of both APIs gives the app its own model, and a span with the JSON that the model wrote."""
    chat = client.chat.completions.parse(model="m", messages=MESSAGES, response_format=Place)
    response = client.responses.parse(model="m", input="Where?", text_format=Place)
    wk.flush()
    spans = [told(span) for span in exported.get_finished_spans()]

    assert chat.choices[0].message.parsed == response.output_parsed == Place(city="Bern")
    for found in spans:
        (answer,) = json.loads(found["gen_ai.output.messages"])
        assert answer["parts"] == [{"type": "text", "content": fake_openai.JSON_ANSWER}]


def test_a_refusal_is_what_the_model_said(client: OpenAI, exported: InMemorySpanExporter) -> None:
    """A refusal is no error: it is the answer's text."""
    answer = client.chat.completions.parse(model="refuses", messages=MESSAGES, response_format=Place)
    span = only(exported)

    assert answer.choices[0].message.refusal == fake_openai.REFUSAL
    assert answer.choices[0].message.parsed is None
    assert span.status.status_code is StatusCode.UNSET
    assert json.loads(told(span)["gen_ai.output.messages"])[0]["parts"] == [
        {"type": "text", "content": fake_openai.REFUSAL}
    ]


def test_the_stream_helpers(client: OpenAI, exported: InMemorySpanExporter) -> None:
    """`stream` of both APIs gives its events and its final answer as without us, and one span each."""
    with client.chat.completions.stream(model="m", messages=MESSAGES, response_format=Place) as stream:
        kinds = {event.type for event in stream}
        final = stream.get_final_completion()
    with client.responses.stream(model="m", input="Weather?") as events:
        response = events.get_final_response()
    with client.chat.completions.stream(model="m", messages=MESSAGES) as stream:
        next(iter(stream))
    wk.flush()
    chat, answered, left = exported.get_finished_spans()

    assert "content.done" in kinds
    assert final.choices[0].message.parsed == Place(city="Bern")
    assert response.output_text == fake_openai.ANSWER
    assert told(chat)["gen_ai.usage.output_tokens"] == told(answered)["gen_ai.usage.output_tokens"] == 20
    assert left.status.status_code is StatusCode.UNSET


def test_sound_in_a_chat(client: OpenAI, exported: InMemorySpanExporter) -> None:
    """Spoken answers are recorded as what was said, not as sound, and their tokens have buckets of their own."""
    client.chat.completions.create(
        model="gpt-audio", messages=MESSAGES, modalities=["text", "audio"], audio={"voice": "alloy", "format": "mp3"}
    )
    found = told(only(exported))

    assert json.loads(found["gen_ai.output.messages"])[0]["parts"] == [{"type": "text", "content": fake_openai.ANSWER}]
    assert found["gen_ai.usage.audio.input_tokens"] == 40
    assert found["gen_ai.usage.audio.output_tokens"] == 15
    assert "QUJD" not in json.dumps(found)


def test_transcripts_speech_pictures_and_old_completions(client: OpenAI, exported: InMemorySpanExporter) -> None:
    """Sound and picture calls have their texts and tokens, by kind or by time, and never the media."""
    client.audio.transcriptions.create(model="gpt-4o-transcribe", file=("a.mp3", b"ID3"))
    client.audio.transcriptions.create(model="whisper-1", file=("a.mp3", b"ID3"))
    spoken = client.audio.speech.create(model="gpt-4o-mini-tts", voice="alloy", input="It is sunny.")
    with client.audio.speech.with_streaming_response.create(model="tts-1", voice="alloy", input="Hi.") as streamed:
        list(streamed.iter_bytes())
    client.images.generate(model="gpt-image-1", prompt="A bear.")
    client.completions.create(model="davinci", prompt="Once")
    wk.flush()
    spans = exported.get_finished_spans()
    by_tokens, by_time, said, also_said, drawn, completed = (told(span) for span in spans)

    assert spoken.read() == b"ID3"
    assert [span.status.status_code for span in spans] == [StatusCode.UNSET] * 6
    assert by_tokens["gen_ai.usage.audio.input_tokens"] == 26
    assert fake_openai.ANSWER in by_tokens["gen_ai.output.messages"]
    assert by_time["openai.usage.audio.seconds"] == 3.5
    assert said["gen_ai.output.type"] == also_said["gen_ai.output.type"] == "speech"
    assert "It is sunny." in said["gen_ai.input.messages"]
    assert drawn["gen_ai.usage.image.input_tokens"] == 40
    assert drawn["gen_ai.usage.output_tokens"] == 272
    assert "QUJD" not in json.dumps(drawn)
    assert completed["gen_ai.operation.name"] == "text_completion"
    assert completed["gen_ai.usage.output_tokens"] == 20


def test_azure(base_url: str, exported: InMemorySpanExporter) -> None:
    """Azure's client is traced as OpenAI's, under Azure's name, whatever gateway it goes through."""
    client = wk.wrap(AzureOpenAI(azure_endpoint=base_url, api_key="none", api_version="2026-01-01"))
    client.chat.completions.create(model="my-deployment", messages=MESSAGES)

    assert told(only(exported))["gen_ai.provider.name"] == "azure.ai.openai"


def test_calls_that_are_not_traced_are_left_alone(client: OpenAI, exported: InMemorySpanExporter) -> None:
    """A path that is not of a model's call makes no span."""
    client.post("/vector_stores", cast_to=object, body={"model": "m"})

    assert exported.get_finished_spans() == ()


def test_what_we_fail_to_read_costs_the_caller_nothing(
    client: OpenAI, exported: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When reading request, answer and chunks all fail, calls give what they give without us, and spans end."""

    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("ours")

    for name in ("openai_core.chat_usage", "openai_core.named", "openai_core.messages", "fold.Text.add"):
        monkeypatch.setattr(f"watchkeeper.sdk.wrappers.{name}", fails)
    answer = client.chat.completions.create(model="m", messages=MESSAGES)
    chunks = list(client.chat.completions.create(model="m", messages=MESSAGES, stream=True))
    wk.flush()

    assert answer.choices[0].message.content == fake_openai.ANSWER
    assert len(chunks) == 8
    assert len(exported.get_finished_spans()) == 2


def test_without_content(provider: object, client: OpenAI) -> None:
    """With content off, neither prompts nor answers leave the process."""
    exporter = InMemorySpanExporter()
    wk.init("quiet", endpoint="http://127.0.0.1:9", exporter=exporter, content=False)
    client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES)
    found = told(only(exporter))
    wk.shutdown()

    assert "Bern" not in json.dumps(found)
    assert found["gen_ai.usage.input_tokens"] == 100
