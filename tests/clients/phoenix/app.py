"""An app traced with Phoenix's own packages, set up as their documentation says: `register`, and two decorators.

The address comes from PHOENIX_COLLECTOR_ENDPOINT, the model's from OPENAI_BASE_URL.
"""

from __future__ import annotations

from openai import OpenAI
from openinference.instrumentation import using_attributes
from phoenix.otel import register

from tests.clients.conversation import METADATA, SERVICE, SESSION, TAGS, USER, get_weather, talk

tracer_provider = register(
    project_name=SERVICE, protocol="http/protobuf", batch=True, auto_instrument=True, verbose=False
)
tracer = tracer_provider.get_tracer(__name__)

get_weather = tracer.tool(name="get_weather")(get_weather)


@tracer.agent(name=SERVICE)
def answer(question: str) -> str:
    """Answer a question."""
    del question
    return talk(OpenAI(max_retries=0), get_weather)


if __name__ == "__main__":
    with using_attributes(session_id=SESSION, user_id=USER, tags=TAGS, metadata=METADATA):
        answer("What is the weather in Bern?")
    tracer_provider.shutdown()
