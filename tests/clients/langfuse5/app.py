"""An app traced with Langfuse's SDK and its drop-in client of OpenAI, set up as its documentation says; for 3, 4 and 5.

Where it sends, and as whom, comes from LANGFUSE_* variables.
"""

from __future__ import annotations

from langfuse import get_client, observe, propagate_attributes
from langfuse.openai import OpenAI

from tests.clients.conversation import METADATA, QUESTION, SERVICE, SESSION, TAGS, USER, get_weather, talk

look_up = observe(get_weather, name="get_weather", as_type="tool")


@observe(name=SERVICE, as_type="agent")
def answer(question: str) -> str:
    """Answer a question."""
    del question
    with propagate_attributes(session_id=SESSION, user_id=USER, tags=TAGS, metadata=METADATA):
        return talk(OpenAI(max_retries=0), look_up)


if __name__ == "__main__":
    answer(QUESTION)
    get_client().flush()
