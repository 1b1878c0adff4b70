"""An app traced with Logfire, set up as its documentation says: `configure`, `instrument_openai`, a span and a decorator.

Where it sends, as whom, and of which service comes from LOGFIRE_* variables, or from OTEL_* ones.
"""

from __future__ import annotations

import os
from typing import Any

import logfire
from openai import OpenAI

from tests.clients.conversation import METADATA, QUESTION, SESSION, TAGS, USER, get_weather, talk

SHAPE: Any = int(os.environ.get("SHAPE", "2"))
"""Of the two in which `instrument_openai` writes a call."""

if __name__ == "__main__":
    logfire.configure()
    logfire.instrument_openai(version=SHAPE)
    look_up = logfire.instrument("get_weather", record_return=True)(get_weather)
    with (
        logfire.set_baggage(**{"gen_ai.conversation.id": SESSION, "user.id": USER}, **METADATA),
        logfire.span("answer {question}", question=QUESTION, _tags=TAGS) as root,
    ):
        root.set_attribute("answer", talk(OpenAI(max_retries=0), look_up))
    logfire.shutdown()
