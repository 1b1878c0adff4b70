"""An app traced without a line of code: run under `opentelemetry-instrument`, set up by OTEL_* variables alone.

Only the span around the conversation is the app's own, as any app with OpenTelemetry has one.
"""

from __future__ import annotations

from openai import OpenAI
from opentelemetry import trace

from tests.clients.conversation import SESSION, USER, talk

if __name__ == "__main__":
    with trace.get_tracer("weather-bot").start_as_current_span(
        "answer", attributes={"session.id": SESSION, "user.id": USER}
    ):
        talk(OpenAI(max_retries=0))
