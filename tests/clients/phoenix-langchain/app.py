"""An app built on LangChain with OpenAI, traced with Phoenix's own packages, set up as their documentation says.

The address comes from PHOENIX_COLLECTOR_ENDPOINT, the model's from OPENAI_BASE_URL.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from langchain_core.messages import HumanMessage, SystemMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from openai import InternalServerError
from openinference.instrumentation import using_attributes
from phoenix.otel import register

from tests.clients.conversation import (
    BROKEN_MODEL,
    EMBEDDED,
    EMBEDDING_MODEL,
    METADATA,
    MODEL,
    QUESTION,
    SERVICE,
    SESSION,
    SYSTEM,
    TAGS,
    USER,
)
from tests.clients.conversation import get_weather as look_up

tracer_provider = register(
    project_name=SERVICE, protocol="http/protobuf", batch=True, auto_instrument=True, verbose=False
)
tracer = tracer_provider.get_tracer(__name__)


@tool
def get_weather(city: str) -> dict[str, object]:
    """Look up the weather of a city."""
    return look_up(city)


@tracer.agent(name=SERVICE)
def answer(question: str) -> str:
    """Answer a question."""
    model = ChatOpenAI(model=MODEL, temperature=0.2, max_retries=0).bind_tools([get_weather])
    messages: list[Any] = [SystemMessage(SYSTEM), HumanMessage(question)]
    asked: Any = model.invoke(messages)
    (call,) = asked.tool_calls
    messages += [asked, get_weather.invoke(call)]
    answered = model.invoke(messages)
    for _ in ChatOpenAI(model=MODEL, max_retries=0, stream_usage=True).stream(QUESTION):
        pass
    OpenAIEmbeddings(model=EMBEDDING_MODEL, check_embedding_ctx_length=False, max_retries=0).embed_query(EMBEDDED)
    with suppress(InternalServerError):
        ChatOpenAI(model=BROKEN_MODEL, max_retries=0).invoke(QUESTION)
    return str(answered.content)


if __name__ == "__main__":
    with using_attributes(session_id=SESSION, user_id=USER, tags=TAGS, metadata=METADATA):
        answer(QUESTION)
    tracer_provider.shutdown()
