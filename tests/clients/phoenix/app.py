"""An app traced with Phoenix's own packages, set up as their documentation says: `register`, and two decorators.

The address comes from PHOENIX_COLLECTOR_ENDPOINT, the model's from OPENAI_BASE_URL.
"""

from __future__ import annotations

from openai import OpenAI
from phoenix.otel import register  # type: ignore[import-not-found] # lives in its own environment

from tests.clients.conversation import get_weather, talk

tracer_provider = register(
    project_name="weather-bot", protocol="http/protobuf", batch=True, auto_instrument=True, verbose=False
)
tracer = tracer_provider.get_tracer(__name__)

get_weather = tracer.tool(name="get_weather")(get_weather)


@tracer.agent(name="weather-bot")  # type: ignore[untyped-decorator] # the same
def answer(question: str) -> str:
    """Answer a question."""
    del question
    return talk(OpenAI(max_retries=0), get_weather)


if __name__ == "__main__":
    answer("What is the weather in Bern?")
    tracer_provider.shutdown()
