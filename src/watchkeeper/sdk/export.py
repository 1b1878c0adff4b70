"""From ended spans to the server, from a thread of its own.

OTel's batch processor is not used: its flush ignores the time it was given, it does not say what it
dropped, and it builds requests by count alone, so that long prompts make a request nobody takes.
"""

from __future__ import annotations

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor

from watchkeeper.sdk.outbox import Outbox
from watchkeeper.sdk.recorder import Recording, text_size

__all__ = ["SpanQueue"]

_SPAN_BYTES = 1_000

Span = ReadableSpan | Recording


class SpanQueue(Outbox[Span], SpanProcessor):
    """The outbox of ended spans, which OTel's own provider can feed too. A server takes requests of 64 MiB."""

    def on_end(self, span: ReadableSpan) -> None:
        """Queue a span of OTel's SDK, whichever library made it."""
        if span.context is not None and span.context.trace_flags.sampled:
            self.put(span, text_size(span))

    def put(self, item: Span, size: int) -> None:
        """Queue a span with so many bytes of text."""
        super().put(item, size + _SPAN_BYTES)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Do what `flush` does, under OTel's name."""
        return self.flush(timeout_millis / 1_000)
