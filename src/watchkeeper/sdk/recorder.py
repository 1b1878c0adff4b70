"""Spans of our own making: OTel's API to everyone, a tenth of its SDK's price.

A span here is a few references until it is sent: the exporting thread writes its texts. It is the current span
of OTel's context like any other, so other libraries' spans nest in it and it nests in theirs.
"""

from __future__ import annotations

import logging
import os
import random
import time
import traceback
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import Token
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context, attach, detach, get_current
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.util.types import Attributes, AttributeValue

from watchkeeper.sdk.context import session_facts
from watchkeeper.sdk.encode import Lazy, clean, error_text, weigh

__all__ = ["Decide", "Origin", "Recorder", "Recording", "enter", "leave", "text_size"]

_log = logging.getLogger("watchkeeper")
_MOST_ATTRIBUTES = 1_000
_MOST_EVENTS = 128
_EVENT_BYTES = 100
_SHORT = 1_000
_AS_THEY_ARE = frozenset({Lazy, int, float, bool})
_UNSET = Status(StatusCode.UNSET)
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_NOT_SAMPLED = TraceFlags(TraceFlags.DEFAULT)

Decide = Callable[[int, SpanContext | None], bool]
"""From a trace id and the parent, where there is one, to whether the trace is sampled."""


def enter(span: trace.Span) -> Token[Context]:
    """Make a span the current one; give what this returns to `leave`."""
    return attach(trace.set_span_in_context(span))


def leave(token: Token[Context]) -> None:
    """Make the span that was current before `enter` current again."""
    detach(token)


class Origin:
    """What all spans of one recorder share: the resource, the scope, where they go when they end."""

    def __init__(self, resource: Resource, scope: InstrumentationScope, sink: Callable[[Recording], None]) -> None:
        self.resource = resource
        self.scope = scope
        self.sink = sink
        self.process = os.getpid()


class Recording(trace.Span):
    """One span. What `ReadableSpan` shows can be read from it, before its end as after."""

    __slots__ = (
        "_attributes", "_events", "_links", "context", "dropped_attributes", "dropped_events", "end_time", "kind", "name",
        "origin", "parent", "process", "start_time", "status",
    )  # fmt: skip
    dropped_links = 0

    def __init__(  # noqa: PLR0917 - one caller, on the hot path
        self,
        origin: Origin,
        name: str,
        context: SpanContext,
        parent: SpanContext | None,
        kind: SpanKind,
        attributes: dict[str, Any],
        links: Sequence[Link],
        start_time: int,
    ) -> None:
        self.origin = origin
        self.process = origin.process
        self.name = name
        self.context = context
        self.parent = parent
        self.kind = kind
        self.start_time = start_time
        self.end_time: int | None = None
        self.status = _UNSET
        self.dropped_attributes = 0
        self.dropped_events = 0
        self._attributes = attributes
        self._events: list[Event] = []
        self._links = links

    @property
    def attributes(self) -> Mapping[str, Any]:
        """Its attributes, their texts written."""
        held = self._attributes
        for key, value in list(held.items()):
            if type(value) is Lazy:
                held[key] = value.text()
        return held

    @property
    def told(self) -> Mapping[str, Any]:
        """Its attributes as they were set: texts may not be written yet."""
        return self._attributes

    @property
    def events(self) -> Sequence[Event]:
        """What happened in it."""
        return self._events

    @property
    def links(self) -> Sequence[Link]:
        """What it is linked to."""
        return self._links

    @property
    def resource(self) -> Resource:
        """Whose process it is of."""
        return self.origin.resource

    @property
    def instrumentation_scope(self) -> InstrumentationScope:
        """Who made it."""
        return self.origin.scope

    @property
    def size(self) -> int:
        """About how many bytes of text it holds."""
        return text_size(self)

    def get_span_context(self) -> SpanContext:
        """Return its ids."""
        return self.context

    def is_recording(self) -> bool:
        """Say whether it is still open."""
        return self.end_time is None

    def set_attribute(self, key: str, value: AttributeValue) -> None:
        """Set one attribute; after the end nothing changes."""
        self.set_attributes({key: value})

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        """Set several."""
        if self.end_time is not None:
            return
        held = self._attributes
        for key, value in attributes.items():
            if not key or (key not in held and len(held) >= _MOST_ATTRIBUTES):
                self.dropped_attributes += 1
                continue
            kind = type(value)
            if kind is str and len(value) < _SHORT and value.isascii():
                held[key] = value
            else:
                held[key] = value if kind in _AS_THEY_ARE else clean(value)

    def add_event(self, name: str, attributes: Attributes = None, timestamp: int | None = None) -> None:
        """Note that something happened."""
        if self.end_time is not None:
            return
        if len(self._events) >= _MOST_EVENTS:
            self.dropped_events += 1
            return
        told: Any = {key: clean(value) for key, value in (attributes or {}).items()}
        self._events.append(Event(name, told, timestamp or time.time_ns()))

    def add_link(self, context: SpanContext, attributes: Attributes = None) -> None:
        """Link another span."""
        if self.end_time is None and len(self._links) < _MOST_EVENTS:
            self._links = [*self._links, Link(context, attributes)]

    def update_name(self, name: str) -> None:
        """Rename it."""
        if self.end_time is None:
            self.name = name

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """Say how it went; as in OTel, "ok" is final and "unset" changes nothing."""
        told = status if isinstance(status, Status) else Status(status, description)
        if self.end_time is None and self.status.status_code is not StatusCode.OK and not told.is_unset:
            self.status = told

    def record_exception(
        self,
        exception: BaseException,
        attributes: Attributes = None,
        timestamp: int | None = None,
        escaped: bool = False,  # noqa: FBT001, FBT002 - OTel's signature
    ) -> None:
        """Note an exception, with its stack."""
        kind = type(exception)
        module = "" if kind.__module__ in {"builtins", None} else f"{kind.__module__}."
        told: dict[str, Any] = {
            "exception.type": module + kind.__qualname__,
            "exception.message": error_text(exception),
            "exception.stacktrace": "".join(traceback.format_exception(exception)),
            "exception.escaped": str(escaped),
        }
        self.add_event("exception", {**told, **(attributes or {})}, timestamp)

    def end(self, end_time: int | None = None) -> None:
        """End it, once; it goes to be sent, unless a fork copied it: then it is the parent process's to send."""
        if self.end_time is not None:
            return
        self.end_time = end_time or time.time_ns()
        if self.process == self.origin.process:
            try:
                self.origin.sink(self)
            except Exception:
                _log.debug("a span could not be queued", exc_info=True)

    def readable(self) -> ReadableSpan:
        """Return it as OTel's SDK would have made it, for exporters that want that."""
        return ReadableSpan(
            self.name, self.context, self.parent, self.resource, self.attributes, self._events, self._links, self.kind,
            status=self.status, start_time=self.start_time, end_time=self.end_time,
            instrumentation_scope=self.instrumentation_scope,
        )  # fmt: skip

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, Exception) and self.end_time is None:
            self.record_exception(error)
            self.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {error_text(error)}"))
        self.end()


def text_size(span: Recording | ReadableSpan) -> int:
    """Guess the bytes of text that a span holds, its events' included."""
    told = span.told if isinstance(span, Recording) else (span.attributes or {})
    total = _values_size(told)
    for event in span.events:
        total += _EVENT_BYTES + _values_size(event.attributes or {})
    return total


def _values_size(attributes: Mapping[str, Any]) -> int:
    total = 0
    for value in list(attributes.values()):  # a copy: a thread that is late may still be setting one
        kind = type(value)
        if kind is str:
            total += len(value)
        elif kind is Lazy:
            total += value.size
        elif kind is tuple or kind is dict or kind is bytes:
            total += weigh(value)
    return total


class Recorder(trace.Tracer):
    """A tracer of `Recording`s.

    Args:
        origin: what its spans share.
        decide: which traces are sampled.
    """

    def __init__(self, origin: Origin, decide: Decide) -> None:
        self._origin = origin
        self._decide = decide
        self._random = random.Random(os.urandom(16))  # noqa: S311 - ids, not secrets; the host's own seed is left alone
        if hasattr(os, "register_at_fork"):
            forked = weakref.WeakMethod(self._after_fork)
            os.register_at_fork(after_in_child=lambda: again() if (again := forked()) is not None else None)

    def start_span(  # noqa: PLR0917 - OTel's signature
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,  # noqa: ARG002, FBT001, FBT002 - OTel's signature
        set_status_on_exception: bool = True,  # noqa: ARG002, FBT001, FBT002 - the same
    ) -> Recording:
        """Start a span; its parent is the current one."""
        inside = get_current() if context is None else context
        parent: SpanContext | None = trace.get_current_span(inside).get_span_context()
        bits = self._random.getrandbits
        if parent is not None and parent.is_valid:
            trace_id, state = parent.trace_id, parent.trace_state
        else:
            parent, trace_id, state = None, bits(128) or 1, None
        flags = _SAMPLED if self._decide(trace_id, parent) else _NOT_SAMPLED
        told = SpanContext(trace_id, bits(64) or 1, False, flags, state)  # noqa: FBT003 - OTel's signature
        span = Recording(self._origin, name, told, parent, kind, {}, links or (), start_time or time.time_ns())
        if attributes:
            span.set_attributes(attributes)
        facts = session_facts(inside)
        if facts:
            span.set_attributes(facts)
        return span

    @contextmanager
    def start_as_current_span(  # type: ignore[override]  # noqa: PLR0917 - OTel's signature, and its own decorator
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,  # noqa: FBT001, FBT002 - OTel's signature
        set_status_on_exception: bool = True,  # noqa: FBT001, FBT002 - the same
        end_on_exit: bool = True,  # noqa: FBT001, FBT002 - the same
    ) -> Iterator[trace.Span]:
        """Start a span and make it the current one."""
        span = self.start_span(name, context, kind, attributes, links, start_time)
        with trace.use_span(span, end_on_exit, record_exception, set_status_on_exception) as used:
            yield used

    def _after_fork(self) -> None:
        self._random = random.Random(os.urandom(16))  # noqa: S311 - as above
        self._origin.process = os.getpid()
