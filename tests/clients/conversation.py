"""The one conversation every real client has: a tool call and its answer, a stream, an embedding, and a failing call."""

from __future__ import annotations

import json
from typing import Any

from openai import APIStatusError, OpenAI

MODEL = "gpt-4o-mini"
SYSTEM = "You are a weather bot."
QUESTION = "What is the weather in Bern?"
SESSION, USER, TAGS, METADATA = "session-1", "user-1", ["tag-a", "tag-b"], {"team": "weather"}
SERVICE, ENVIRONMENT, RELEASE = "weather-bot", "test", "1.2.3"
"""Whose conversation it is; a client says as much of it as its documented interface has words for."""
EMBEDDED, EMBEDDING_MODEL, BROKEN_MODEL = "weather in Bern", "text-embedding-3-small", "broken"
WEATHER = {"temperature": 21, "sky": "clear"}
TOOLS: list[Any] = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "Look up the weather of a city.",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
]


def get_weather(city: str) -> dict[str, object]:
    """Look up the weather of a city."""
    return {"city": city, **WEATHER}


def talk(client: OpenAI, look_up: Any = get_weather) -> str:
    """Have the conversation and return the answer; `look_up` is the tool, traced or not."""
    messages: list[Any] = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": QUESTION}]
    asked: Any = client.chat.completions.create(model=MODEL, messages=messages, tools=TOOLS, temperature=0.2)
    (call,) = asked.choices[0].message.tool_calls
    found = look_up(**json.loads(call.function.arguments))
    messages += [
        asked.choices[0].message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": call.id, "content": json.dumps(found)},
    ]
    answer = client.chat.completions.create(model=MODEL, messages=messages, tools=TOOLS, temperature=0.2)

    stream = client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": QUESTION}],
        stream=True,
        stream_options={"include_usage": True},
    )
    for _ in stream:
        pass

    client.embeddings.create(model=EMBEDDING_MODEL, input=EMBEDDED)
    try:
        client.chat.completions.create(model=BROKEN_MODEL, messages=[{"role": "user", "content": QUESTION}])
    except APIStatusError as error:
        if error.status_code != 500:
            raise
    return answer.choices[0].message.content or ""
