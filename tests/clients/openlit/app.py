"""An app traced with OpenLIT, set up as its documentation says: `openlit.init()`, and `trace` on the app's functions.

The address, the names and the price list come from OTEL_* and OPENLIT_* variables, the model's address from OPENAI_BASE_URL.
"""

from __future__ import annotations

import openlit
from openai import OpenAI

from tests.clients.conversation import METADATA, SESSION, TAGS, USER, get_weather, talk

openlit.init()
get_weather = openlit.trace(get_weather)


@openlit.trace
def answer(question: str) -> str:
    """Answer a question."""
    del question
    return talk(OpenAI(max_retries=0), get_weather)


if __name__ == "__main__":
    with openlit.using_attributes({"session.id": SESSION, "user.id": USER, "tags": TAGS, **METADATA}):
        answer("What is the weather in Bern?")
