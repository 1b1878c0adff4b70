"""An app that calls Mistral, traced with Phoenix's own packages, set up as their documentation says.

The address comes from PHOENIX_COLLECTOR_ENDPOINT; Mistral's SDK is given the model's, for it reads no variable.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import Any

from mistralai.client import Mistral
from mistralai.client.errors import SDKError
from openinference.instrumentation import using_attributes
from phoenix.otel import register

from tests.clients.conversation import (
    BROKEN_MODEL,
    EMBEDDED,
    METADATA,
    QUESTION,
    SERVICE,
    SESSION,
    SYSTEM,
    TAGS,
    TOOLS,
    USER,
    get_weather,
)

MODEL = "mistral-medium-latest"

tracer_provider = register(
    project_name=SERVICE, protocol="http/protobuf", batch=True, auto_instrument=True, verbose=False
)
tracer = tracer_provider.get_tracer(__name__)

get_weather = tracer.tool(name="get_weather")(get_weather)


@tracer.agent(name=SERVICE)
def answer(question: str) -> str:
    """Answer a question."""
    client = Mistral(api_key=os.environ["MISTRAL_API_KEY"], server_url=os.environ["MISTRAL_BASE_URL"])
    messages: list[Any] = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": question}]
    asked: Any = client.chat.complete(model=MODEL, messages=messages, tools=TOOLS, temperature=0.2)
    said = asked.choices[0].message
    (call,) = said.tool_calls
    found = get_weather(**json.loads(call.function.arguments))
    messages += [
        said.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": call.id, "name": "get_weather", "content": json.dumps(found)},
    ]
    answered: Any = client.chat.complete(model=MODEL, messages=messages, tools=TOOLS, temperature=0.2)
    only: list[Any] = [{"role": "user", "content": QUESTION}]
    for _ in client.chat.stream(model=MODEL, messages=only):
        pass
    client.embeddings.create(model="mistral-embed", inputs=[EMBEDDED])
    with suppress(SDKError):
        client.chat.complete(model=BROKEN_MODEL, messages=only)
    text: str = answered.choices[0].message.content
    return text


if __name__ == "__main__":
    with using_attributes(session_id=SESSION, user_id=USER, tags=TAGS, metadata=METADATA):
        answer(QUESTION)
    tracer_provider.shutdown()
