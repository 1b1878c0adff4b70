"""Helicone's own helper for logging by hand, set up as its documentation says: each call is made, and then told of.

The address comes from HELICONE_LOGGING_ENDPOINT, the key from HELICONE_API_KEY.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from typing import Any

from helicone_helpers import HeliconeManualLogger
from openai import APIStatusError, OpenAI

from tests.clients import conversation as said

CLIENT = OpenAI(max_retries=0)
LOGGER = HeliconeManualLogger(
    api_key=os.environ["HELICONE_API_KEY"],
    logging_endpoint=os.environ["HELICONE_LOGGING_ENDPOINT"],
    headers={
        "Helicone-User-Id": said.USER,
        "Helicone-Session-Id": said.SESSION,
        "Helicone-Session-Name": "answer",
        "Helicone-Property-Team": said.METADATA["team"],
        "Helicone-Property-App": said.SERVICE,
        "Helicone-Property-Environment": said.ENVIRONMENT,
        "Helicone-Property-Release": said.RELEASE,
    },
)


def at(path: str) -> dict[str, str]:
    """Say where in the session a call stands."""
    return {"Helicone-Session-Path": path}


def logged(request: dict[str, Any], call: Callable[..., Any], path: str) -> Any:
    """Make a call and log its whole answer."""

    def operation(recorder: Any) -> Any:
        answer = call(**request)
        recorder.append_results(answer.model_dump())
        return answer

    return LOGGER.log_request(request, operation, at(path), "openai")


def tool(request: dict[str, Any]) -> dict[str, object]:
    """Run the tool and log it, in the way Helicone's documentation has for tools."""

    def operation(recorder: Any) -> dict[str, object]:
        found = said.get_weather(**request["input"])
        recorder.append_results(found)
        return found

    found: dict[str, object] = LOGGER.log_request(request, operation, at("/answer/tool"))
    return found


async def main() -> None:
    """Have the conversation."""
    chat = CLIENT.chat.completions.create
    messages: list[Any] = [
        {"role": "system", "content": said.SYSTEM},
        {"role": "user", "content": said.QUESTION},
    ]
    request: dict[str, Any] = {"model": said.MODEL, "messages": messages, "tools": said.TOOLS, "temperature": 0.2}
    asked = logged(request, chat, "/answer/ask")
    (call,) = asked.choices[0].message.tool_calls
    found = tool({"_type": "tool", "toolName": "get_weather", "input": json.loads(call.function.arguments)})
    messages += [
        asked.choices[0].message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": call.id, "content": json.dumps(found)},
    ]
    logged(request, chat, "/answer/answer")

    question = [{"role": "user", "content": said.QUESTION}]
    request = {"model": said.MODEL, "messages": question, "stream": True, "stream_options": {"include_usage": True}}
    streamed = LOGGER.log_builder(request, at("/answer/stream"))
    for chunk in chat(**request):
        streamed.add_chunk(chunk.model_dump())
    await streamed.send_log()

    logged({"model": said.EMBEDDING_MODEL, "input": said.EMBEDDED}, CLIENT.embeddings.create, "/answer/embedding")

    request = {"model": said.BROKEN_MODEL, "messages": question}
    failed = LOGGER.log_builder(request, at("/answer/failure"))
    try:
        chat(**request)
    except APIStatusError as error:
        if error.status_code != 500:
            raise
        failed.set_error(error)
    await failed.send_log()


if __name__ == "__main__":
    asyncio.run(main())
