"""What arrived, typed and verbatim: an OTLP span before anyone read meaning into it."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from watchkeeper.model.semconv import LANGFUSE_TRACE, LOGFIRE_PENDING, LOGFIRE_SPAN_TYPE, MASKED_PREFIX

__all__ = [
    "AttributeValue",
    "Attributes",
    "RawEvent",
    "RawLink",
    "RawLog",
    "RawSpan",
    "Scope",
    "masked_of",
    "merge_raw",
]

AttributeValue: TypeAlias = "str | bool | int | float | bytes | list[AttributeValue] | dict[str, AttributeValue] | None"
"""An OTLP AnyValue as Python: string, bool, int, double, bytes, array, kvlist, or empty."""

Attributes: TypeAlias = "dict[str, AttributeValue]"


class Scope(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The instrumentation scope: which library spoke."""

    name: str = ""
    version: str = ""
    attributes: Attributes = {}


class RawEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A span event. `time` in ns since the epoch."""

    name: str = ""
    time: int = 0
    attributes: Attributes = {}


class RawLink(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A link to another span, ids in lower-case hex."""

    trace_id: str = ""
    span_id: str = ""
    attributes: Attributes = {}


class RawLog(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A log record that names the span it belongs to. `time` in ns since the epoch."""

    trace_id: str
    span_id: str
    time: int = 0
    event_name: str = ""
    severity: int = 0
    body: AttributeValue = None
    attributes: Attributes = {}


class RawSpan(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One OTLP span with its resource and scope.

    Ids are lower-case hex; `parent_span_id` is "" for a root. Times are ns since the epoch, UTC.
    `otel_kind` and `status_code` are OTLP's numbers. `logs` are the log records joined to it so far.
    """

    trace_id: str
    span_id: str
    parent_span_id: str = ""
    name: str = ""
    otel_kind: int = 0
    start_time: int = 0
    end_time: int = 0
    status_code: int = 0
    status_message: str = ""
    trace_state: str = ""
    flags: int = 0
    dropped_attributes: int = 0
    dropped_events: int = 0
    dropped_links: int = 0
    attributes: Attributes = {}
    resource: Attributes = {}
    scope: Scope = Scope()
    events: tuple[RawEvent, ...] = ()
    links: tuple[RawLink, ...] = ()
    logs: tuple[RawLog, ...] = ()


def merge_raw(earlier: RawSpan, later: RawSpan) -> RawSpan:
    """Join two receipts of one span: attributes by key, later receipt winning; events, links and logs as sets.

    Scalars come from the later receipt unless it left them at their default (an amendment that
    carries only attributes does not erase the name or the times). What was sent as the span began counts as the
    earlier of the two, whenever it comes. A trace of Langfuse's batch begins when the first event of it says.
    """
    if later.attributes.get(LOGFIRE_SPAN_TYPE) == LOGFIRE_PENDING:
        earlier, later = later, earlier
    changes: dict[str, object] = {}
    for field in RawSpan.__struct_fields__:
        old, new = getattr(earlier, field), getattr(later, field)
        if field in {"attributes", "resource"}:
            changes[field] = {**old, **new}
        elif field in {"events", "links", "logs"}:
            changes[field] = old + tuple(item for item in new if item not in old)
        elif not new or new == Scope():
            changes[field] = old
    if LANGFUSE_TRACE in earlier.attributes and earlier.start_time:
        changes["start_time"] = min(earlier.start_time, later.start_time or earlier.start_time)
    return msgspec.structs.replace(later, **changes)


def masked_of(attributes: Attributes) -> dict[str, int]:
    """Return how many values of each kind were masked in a record, most first."""
    found = {
        key.removeprefix(MASKED_PREFIX): value
        for key, value in attributes.items()
        if key.startswith(MASKED_PREFIX) and isinstance(value, int) and not isinstance(value, bool)
    }
    return dict(sorted(found.items(), key=lambda one: (-one[1], one[0])))
