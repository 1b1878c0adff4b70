"""An app traced with OpenLLMetry, set up as its documentation says: `Traceloop.init`, decorators, association properties.

Where it sends, and as whom, comes from TRACELOOP_* variables.
"""

from __future__ import annotations

from typing import Any

from openai import OpenAI
from traceloop.sdk import Traceloop
from traceloop.sdk.decorators import agent, tool

from tests.clients.conversation import METADATA, QUESTION, RELEASE, SERVICE, SESSION, TAGS, USER, get_weather, talk

Traceloop.init(app_name=SERVICE, resource_attributes={"service.version": RELEASE})
look_up: Any = tool(name="get_weather")(get_weather)


@agent(name=SERVICE)
def answer(question: str) -> str:
    """Answer a question."""
    del question
    return talk(OpenAI(max_retries=0), look_up)


if __name__ == "__main__":
    Traceloop.set_association_properties({"session_id": SESSION, "user_id": USER, "tags": TAGS, **METADATA})
    answer(QUESTION)
