"""The app's own redaction, applied to every text of a span before it leaves the process."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import Status

from watchkeeper.sdk.recorder import Recording

__all__ = ["WITHHELD", "Redaction"]

_log = logging.getLogger("watchkeeper")
WITHHELD = "[withheld: redaction failed]"
"""What stands for a text on which the app's function failed."""


class Redaction:
    """Passes every text of a span's attributes, events, name and status through the app's function.

    It runs where batches are encoded, not on the app's own threads. A text on which it raises, or for
    which it returns no text, is withheld and counted: nothing leaves that was not redacted.

    Args:
        redact: a text to the text that may leave. Called from another thread.
    """

    def __init__(self, redact: Callable[[str], str]) -> None:
        self._redact = redact
        self.failed = 0

    def __call__(self, batch: Sequence[ReadableSpan | Recording]) -> list[ReadableSpan]:
        """Return the spans as they may leave."""
        return [self._span(one.readable() if isinstance(one, Recording) else one) for one in batch]

    def _span(self, span: ReadableSpan) -> ReadableSpan:
        told = span.status.description
        return ReadableSpan(
            name=self._text(span.name),
            context=span.context,
            parent=span.parent,
            resource=span.resource,
            attributes=self._attributes(span.attributes),
            events=[
                Event(self._text(one.name), self._attributes(one.attributes), one.timestamp) for one in span.events
            ],
            links=span.links,
            kind=span.kind,
            status=Status(span.status.status_code, self._text(told) if told else told),
            start_time=span.start_time,
            end_time=span.end_time,
            instrumentation_scope=span.instrumentation_scope,
        )

    def _attributes(self, attributes: Mapping[str, Any] | None) -> dict[str, Any]:
        return {key: self._value(value) for key, value in (attributes or {}).items()}

    def _value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, Mapping):
            return {key: self._value(item) for key, item in value.items()}
        if isinstance(value, Sequence) and not isinstance(value, bytes):
            return [self._value(item) for item in value]
        return value

    def _text(self, text: str) -> str:
        try:
            found = self._redact(text)
        except Exception:
            _log.debug("the redaction failed", exc_info=True)
            found = None
        if isinstance(found, str):
            return found
        self.failed += 1
        return WITHHELD
