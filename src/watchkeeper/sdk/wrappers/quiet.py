"""One call, one span: clients that trace themselves keep still inside a call that we trace.

Their span would count the same tokens a second time. Calls that we do not trace keep the client's own spans.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, Span, Tracer, TracerProvider
from opentelemetry.util.types import Attributes

__all__ = ["QuietProvider", "inside_traced_call", "traced_context"]

_TRACED = otel_context.create_key("watchkeeper-traced-call")


def traced_context(span: Span) -> Context:
    """Return the context to make a traced call in: the span is current, and the mark is set."""
    return otel_context.set_value(_TRACED, True, trace.set_span_in_context(span))  # noqa: FBT003 - a context's value


def inside_traced_call() -> bool:
    """Say whether this is inside a call that we trace."""
    return otel_context.get_value(_TRACED) is not None


class QuietProvider(TracerProvider):
    """Gives tracers that make no span of their own inside a traced call: ours stands for it, and is what is sent on.

    Args:
        inner: where spans outside such calls come from; the app's global provider by default.
    """

    def __init__(self, inner: TracerProvider | None = None) -> None:
        self._inner = inner

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: Attributes = None,
    ) -> Tracer:
        """Give a tracer of a scope."""
        scope = (instrumenting_module_name, instrumenting_library_version)
        return _QuietTracer(trace.get_tracer(*scope, self._inner, schema_url, attributes))


class _QuietTracer(Tracer):
    def __init__(self, inner: Tracer) -> None:
        self._inner = inner

    def start_span(self, *args: Any, **kwargs: Any) -> Span:
        if inside_traced_call():
            return NonRecordingSpan(trace.get_current_span().get_span_context())
        return self._inner.start_span(*args, **kwargs)

    @contextmanager
    def start_as_current_span(self, *args: Any, **kwargs: Any) -> Iterator[Span]:  # type: ignore[override]  # as OTel's own
        if inside_traced_call():
            yield self.start_span()
            return
        with self._inner.start_as_current_span(*args, **kwargs) as span:
            yield span
