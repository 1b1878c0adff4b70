"""An app traced with Langfuse's SDK 2 and its drop-in client of OpenAI: its spans travel in the ingestion batch.

Where it sends, and as whom, comes from LANGFUSE_* variables.
"""

from __future__ import annotations

from langfuse.decorators import langfuse_context, observe
from langfuse.openai import OpenAI

from tests.clients.conversation import METADATA, QUESTION, SERVICE, SESSION, TAGS, USER, get_weather, talk

look_up = observe(name="get_weather")(get_weather)


@observe(name=SERVICE)
def answer(question: str) -> str:
    """Answer a question."""
    del question
    langfuse_context.update_current_trace(session_id=SESSION, user_id=USER, tags=TAGS, metadata=METADATA)
    return talk(OpenAI(max_retries=0), look_up)


if __name__ == "__main__":
    answer(QUESTION)
    langfuse_context.flush()
