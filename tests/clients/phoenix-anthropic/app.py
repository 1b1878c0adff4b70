"""An app that calls Anthropic, traced with Phoenix's own packages, set up as their documentation says.

The address comes from PHOENIX_COLLECTOR_ENDPOINT, the model's from ANTHROPIC_BASE_URL.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from anthropic import Anthropic, InternalServerError
from openinference.instrumentation import using_attributes
from phoenix.otel import register

from tests.clients.conversation import (
    BROKEN_MODEL,
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

MODEL = "claude-sonnet-5"

tracer_provider = register(
    project_name=SERVICE, protocol="http/protobuf", batch=True, auto_instrument=True, verbose=False
)
tracer = tracer_provider.get_tracer(__name__)

get_weather = tracer.tool(name="get_weather")(get_weather)


@tracer.agent(name=SERVICE)
def answer(question: str) -> str:
    """Answer a question."""
    client = Anthropic(max_retries=0)
    offered: list[Any] = [
        {"name": one["name"], "description": one["description"], "input_schema": one["parameters"]}
        for one in (tool["function"] for tool in TOOLS)
    ]
    more: dict[str, Any] = {"model": MODEL, "max_tokens": 1024}
    tools: dict[str, Any] = {**more, "system": SYSTEM, "tools": offered}
    messages: list[Any] = [{"role": "user", "content": question}]
    asked = client.messages.create(messages=messages, **tools)
    call: Any = asked.content[-1]
    result = {"type": "tool_result", "tool_use_id": call.id, "content": json.dumps(get_weather(**call.input))}
    messages += [
        {"role": "assistant", "content": [part.model_dump(exclude_none=True) for part in asked.content]},
        {"role": "user", "content": [result]},
    ]
    answered: Any = client.messages.create(messages=messages, **tools)
    only: list[Any] = [{"role": "user", "content": QUESTION}]
    for _ in client.messages.create(messages=only, stream=True, **more):
        pass
    with suppress(InternalServerError):
        client.messages.create(messages=only, **{**more, "model": BROKEN_MODEL})
    text: str = answered.content[0].text
    return text


if __name__ == "__main__":
    with using_attributes(session_id=SESSION, user_id=USER, tags=TAGS, metadata=METADATA):
        answer(QUESTION)
    tracer_provider.shutdown()
