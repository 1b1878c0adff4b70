"""One call, one span: clients that trace themselves keep still inside a call that we trace.

Their span would count the same tokens a second time. Calls that we do not trace keep the client's own spans.
"""

from __future__ import annotations

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span

__all__ = ["inside_traced_call", "traced_context"]

_TRACED = otel_context.create_key("watchkeeper-traced-call")


def traced_context(span: Span) -> Context:
    """Return the context to make a traced call in: the span is current, and the mark is set."""
    return otel_context.set_value(_TRACED, True, trace.set_span_in_context(span))  # noqa: FBT003 - a context's value


def inside_traced_call() -> bool:
    """Say whether this is inside a call that we trace."""
    return otel_context.get_value(_TRACED) is not None
