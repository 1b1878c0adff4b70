"""An app traced with MLflow, exported over OTLP, set up as its documentation says: `autolog`, and `trace` on its functions.

The address and the names come from OTEL_* variables, the model's address from OPENAI_BASE_URL. With WEATHER_BOT_TAGS the
trace is tagged too.
"""

from __future__ import annotations

import os

import mlflow
from openai import OpenAI

from tests.clients.conversation import METADATA, QUESTION, SERVICE, SESSION, TAGS, USER, get_weather, talk

mlflow.openai.autolog()
get_weather = mlflow.trace(get_weather, name="get_weather", span_type="TOOL")


@mlflow.trace(name=SERVICE, span_type="AGENT")
def answer(question: str) -> str:
    """Answer a question."""
    del question
    mlflow.update_current_trace(session_id=SESSION, user=USER, metadata=METADATA)
    if os.environ.get("WEATHER_BOT_TAGS"):
        mlflow.update_current_trace(tags=dict.fromkeys(TAGS, "yes"))
    return talk(OpenAI(max_retries=0), get_weather)


if __name__ == "__main__":
    answer(QUESTION)
    mlflow.flush_trace_async_logging()
