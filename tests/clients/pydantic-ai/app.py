"""A Pydantic AI agent with a tool, traced as its documentation says: through Logfire, or through OpenTelemetry's own SDK.

The agent's run is the conversation's first half: it calls the model, runs the tool and calls the model again. A stream,
an embedding and a failing call follow it under one span of the app's.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

from openai import AsyncOpenAI
from opentelemetry import trace
from pydantic_ai import Agent, Embedder, ModelHTTPError
from pydantic_ai.capabilities import Instrumentation
from pydantic_ai.embeddings.openai import OpenAIEmbeddingModel
from pydantic_ai.models.instrumented import InstrumentationSettings
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from tests.clients import conversation as said

VERSION: Any = int(os.environ.get("INSTRUMENTATION", "5"))
"""Of the format in which Pydantic AI writes its spans."""
PROVIDER = OpenAIProvider(openai_client=AsyncOpenAI(max_retries=0))


def agent(model: str, instrumentation: Instrumentation, **given: Any) -> Agent[None, str]:
    """Return an agent of a model."""
    return Agent(OpenAIChatModel(model, provider=PROVIDER), name=said.SERVICE, capabilities=[instrumentation], **given)


async def talk() -> None:
    """Have the conversation."""
    instrumentation = Instrumentation(settings=InstrumentationSettings(version=VERSION))
    bot = agent(
        said.MODEL, instrumentation, system_prompt=said.SYSTEM, tools=[said.get_weather],
        model_settings={"temperature": 0.2}, metadata=said.METADATA,
    )  # fmt: skip
    with trace.get_tracer("weather-bot").start_as_current_span("conversation", attributes={"user.id": said.USER}):
        await bot.run(said.QUESTION, conversation_id=said.SESSION)
        async with agent(said.MODEL, instrumentation).run_stream(said.QUESTION, conversation_id=said.SESSION) as stream:
            await stream.get_output()
        embedder = Embedder(OpenAIEmbeddingModel(said.EMBEDDING_MODEL, provider=PROVIDER), instrument=True)
        await embedder.embed_query(said.EMBEDDED)
        try:
            await agent(said.BROKEN_MODEL, instrumentation).run(said.QUESTION, conversation_id=said.SESSION)
        except ModelHTTPError as error:
            if error.status_code != 500:
                raise


def set_up() -> None:
    """Set tracing up: Logfire where it has a token, else OpenTelemetry's own exporter."""
    if os.environ.get("LOGFIRE_TOKEN"):
        import logfire

        logfire.configure()
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


if __name__ == "__main__":
    set_up()
    asyncio.run(talk())
