"""An app that calls models through LiteLLM with its OpenTelemetry callback, set up as its documentation says.

The app has OpenTelemetry of its own, set up by OTEL_* variables, and LiteLLM's spans join its trace. With
WEATHER_BOT_INSTRUMENTED the OpenAI library beneath LiteLLM is instrumented too, so that one call is told of twice.
"""

from __future__ import annotations

import asyncio
import json
import os
from contextlib import suppress
from typing import Any

import litellm
from litellm.litellm_core_utils.logging_worker import GLOBAL_LOGGING_WORKER
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from tests.clients.conversation import (
    BROKEN_MODEL,
    EMBEDDED,
    EMBEDDING_MODEL,
    METADATA,
    MODEL,
    QUESTION,
    SESSION,
    SYSTEM,
    TAGS,
    TOOLS,
    USER,
    get_weather,
)

litellm.callbacks = ["otel"]


def told() -> dict[str, Any]:
    """Return for whom a call is made; LiteLLM keeps notes of its own in the metadata, so each call has its own."""
    return {"user": USER, "metadata": {**METADATA, "session_id": SESSION, "tags": TAGS}, "num_retries": 0}


async def talk() -> str:
    """Have the conversation and return the answer."""
    messages: list[Any] = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": QUESTION}]
    asked: Any = await litellm.acompletion(model=MODEL, messages=messages, tools=TOOLS, temperature=0.2, **told())
    (call,) = asked.choices[0].message.tool_calls
    messages += [
        asked.choices[0].message.model_dump(exclude_none=True),
        {
            "role": "tool",
            "tool_call_id": call.id,
            "content": json.dumps(get_weather(**json.loads(call.function.arguments))),
        },
    ]
    answer: Any = await litellm.acompletion(model=MODEL, messages=messages, tools=TOOLS, temperature=0.2, **told())
    only = [{"role": "user", "content": QUESTION}]
    stream: Any = await litellm.acompletion(
        model=MODEL, messages=only, stream=True, stream_options={"include_usage": True}, **told()
    )
    async for _ in stream:
        pass
    await litellm.aembedding(model=EMBEDDING_MODEL, input=[EMBEDDED], **told())
    with suppress(litellm.InternalServerError):
        await litellm.acompletion(model=f"openai/{BROKEN_MODEL}", messages=only, **told())
    return answer.choices[0].message.content or ""


async def main() -> None:
    """Make the conversation within a span of the app's own."""
    with trace.get_tracer("weather-bot").start_as_current_span("answer") as root:
        root.set_attributes({"session.id": SESSION, "user.id": USER})
        await talk()
    await GLOBAL_LOGGING_WORKER.flush()


if __name__ == "__main__":
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    if os.environ.get("WEATHER_BOT_INSTRUMENTED"):
        from openinference.instrumentation.openai import OpenAIInstrumentor

        OpenAIInstrumentor().instrument()
    asyncio.run(main())
