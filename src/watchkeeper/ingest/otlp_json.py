"""OTLP/JSON, read as it is, forgivingly: hex or base64 ids, camelCase or snake_case, numbers as text, enums by name.

Read straight from the JSON tree: going through protobuf's own JSON reader costs eight times as much.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any, TypeAlias

import msgspec

from watchkeeper.ingest.decoded import (
    MAX_ATTRIBUTE,
    MAX_DEPTH,
    MAX_TIME,
    NO_SPAN,
    DecodedLogs,
    DecodedTraces,
    RejectedError,
    logs_of,
    too_big,
    too_deep,
)
from watchkeeper.ingest.generic import service_of
from watchkeeper.ingest.pending import begun
from watchkeeper.kit.errors import RequestError
from watchkeeper.model import Attributes, AttributeValue, RawEvent, RawLink, RawLog, RawSpan, Scope

__all__ = ["data_points", "logs", "traces"]

_Tree: TypeAlias = dict[str, Any]

_HEX = re.compile(r"[0-9a-fA-F]*")
_TRACE_ID, _SPAN_ID = 16, 8
_UINT32 = 2**32 - 1
_INT64 = 2**63
_KINDS = {
    name: number for number, name in enumerate(("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"))
}
_CODES = {"UNSET": 0, "OK": 1, "ERROR": 2}
_DATA = ("gauge", "sum", "histogram", "exponentialHistogram", "exponential_histogram", "summary")


def traces(body: bytes) -> DecodedTraces:
    """Decode a trace request.

    Raises:
        RequestError: it is not JSON, or not shaped like one.
    """
    spans: list[RawSpan] = []
    rejected, reason = 0, ""
    for group, inner, items in _groups(body, "Spans", "spans"):
        try:
            resource, scope = _attributes(group), _scope(inner)
        except RejectedError as error:
            rejected += len(items)
            reason = reason or str(error)
            continue
        for told in items:
            try:
                spans.append(_span(told, resource, scope))
            except RejectedError as error:
                rejected += 1
                reason = reason or str(error)
    return DecodedTraces(tuple(spans), rejected, reason)


def logs(body: bytes) -> DecodedLogs:
    """Decode a log request; raises as `traces` does."""
    records: list[RawLog] = []
    services: list[str] = []
    rejected, reason = 0, ""
    for group, _, items in _groups(body, "Logs", "logRecords"):
        service = _service(group)
        for told in items:
            try:
                records.append(_log(told))
                services.append(service)
            except RejectedError as error:
                rejected += 1
                reason = reason or str(error)
    return logs_of(records, services, rejected, reason)


def _service(group: _Tree) -> str:
    try:
        return service_of(_attributes(group))
    except RejectedError:  # an odd resource does not cost its records; they are of no known service
        return service_of({})


def data_points(body: bytes) -> int:
    """Count the data points of a metrics request; raises as `traces` does."""
    found = 0
    for _, _, items in _groups(body, "Metrics", "metrics"):
        for told in items:
            kinds = [inner for kind in _DATA if isinstance(inner := told.get(kind), dict)]
            found += sum(len(_container(inner, "dataPoints")) for inner in kinds)
    return found


def _groups(body: bytes, signal: str, name: str) -> Iterator[tuple[_Tree, _Tree, list[_Tree]]]:
    """Go through the resources and scopes with their items."""
    try:
        tree = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise RequestError(f"the body is not JSON: {error}") from error
    if not isinstance(tree, dict):
        raise RequestError("the body is not a JSON object")
    for group in _container(tree, f"resource{signal}"):
        resource = _object(group, "resource")
        for inner in _container(group, f"scope{signal}"):
            scope = _object(inner, "scope")
            yield resource, scope, _container(inner, name)


def _container(told: _Tree, name: str) -> list[_Tree]:
    found = _get(told, name)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise RequestError(f"the body is not OTLP: {name} is not a list of objects")
    return found


def _object(told: _Tree, name: str) -> _Tree:
    found = _get(told, name)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise RequestError(f"the body is not OTLP: {name} is not an object")
    return found


def _get(told: _Tree, camel: str) -> Any:  # noqa: ANN401 - JSON is any shape
    found = told.get(camel)
    return told.get(_SNAKE[camel]) if found is None and camel in _SNAKE else found


_SNAKE = {
    name: re.sub("[A-Z]", lambda hit: "_" + hit[0].lower(), name)
    for name in (
        "resourceSpans", "resourceLogs", "resourceMetrics", "scopeSpans", "scopeLogs", "scopeMetrics", "logRecords",
        "dataPoints", "traceId", "spanId", "parentSpanId", "startTimeUnixNano", "endTimeUnixNano", "timeUnixNano",
        "observedTimeUnixNano", "traceState", "droppedAttributesCount", "droppedEventsCount", "droppedLinksCount",
        "severityNumber", "eventName",
    )
}  # fmt: skip


def _span(told: _Tree, resource: Attributes, scope: Scope) -> RawSpan:
    span_id = _id(_get(told, "spanId"), _SPAN_ID, "span id")
    parent = _get(told, "parentSpanId")
    status = told.get("status")
    status = status if isinstance(status, dict) else {}
    found = RawSpan(
        trace_id=_id(_get(told, "traceId"), _TRACE_ID, "trace id"),
        span_id=span_id,
        parent_span_id=_parent(parent) if parent else "",
        name=_text(told, "name"),
        otel_kind=_enum(told.get("kind"), "SPAN_KIND_", _KINDS),
        start_time=_count(told, "startTimeUnixNano", MAX_TIME),
        end_time=_count(told, "endTimeUnixNano", MAX_TIME),
        status_code=_enum(status.get("code"), "STATUS_CODE_", _CODES),
        status_message=_text(status, "message"),
        trace_state=_text(told, "traceState"),
        flags=_count(told, "flags", _UINT32),
        dropped_attributes=_count(told, "droppedAttributesCount", _UINT32),
        dropped_events=_count(told, "droppedEventsCount", _UINT32),
        dropped_links=_count(told, "droppedLinksCount", _UINT32),
        attributes=_attributes(told),
        resource=resource,
        scope=scope,
        events=tuple(_event(one) for one in _list(told, "events")),
        links=tuple(_link(one) for one in _list(told, "links")),
    )
    return begun(found)


def _scope(told: _Tree) -> Scope:
    return Scope(name=_text(told, "name"), version=_text(told, "version"), attributes=_attributes(told))


def _event(told: _Tree) -> RawEvent:
    time = _count(told, "timeUnixNano", MAX_TIME)
    return RawEvent(name=_text(told, "name"), time=time, attributes=_attributes(told))


def _link(told: _Tree) -> RawLink:
    trace_id, span_id = _get(told, "traceId"), _get(told, "spanId")
    return RawLink(
        trace_id=_id(trace_id, _TRACE_ID, "trace id") if trace_id else "",
        span_id=_id(span_id, _SPAN_ID, "span id") if span_id else "",
        attributes=_attributes(told),
    )


def _log(told: _Tree) -> RawLog:
    try:
        trace_id = _id(_get(told, "traceId"), _TRACE_ID, "trace id")
        span_id = _id(_get(told, "spanId"), _SPAN_ID, "span id")
    except RejectedError:
        raise RejectedError(NO_SPAN) from None
    attributes = _attributes(told)
    named = _text(told, "eventName") or attributes.get("event.name")
    severity = _get(told, "severityNumber")
    return RawLog(
        trace_id=trace_id,
        span_id=span_id,
        time=_count(told, "timeUnixNano", MAX_TIME) or _count(told, "observedTimeUnixNano", MAX_TIME),
        event_name=named if isinstance(named, str) else "",
        severity=severity if isinstance(severity, int) and 0 <= severity <= _UINT32 else 0,
        body=_bounded("body", told.get("body")),
        attributes=attributes,
    )


def _id(value: object, size: int, what: str) -> str:
    """Read an id: hex as OTLP/JSON has it, or base64 as protobuf's own JSON writes bytes; their lengths differ."""
    text = value if isinstance(value, str) else ""
    if len(text) == size * 2 and _HEX.fullmatch(text):
        found = text.lower()
    else:
        try:
            found = base64.b64decode(text, validate=True).hex()
        except (binascii.Error, ValueError):
            found = ""
    if len(found) != size * 2 or not found.strip("0"):
        raise RejectedError(f"a {what} is not {size} bytes or is all zero: {str(value)[:40]!r}")
    return found


def _parent(value: object) -> str:
    return "" if isinstance(value, str) and not value.strip("0") else _id(value, _SPAN_ID, "parent span id")


def _text(told: _Tree, name: str) -> str:
    found = _get(told, name)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise RejectedError(f"{name} is not a text: {str(found)[:40]!r}")
    return found


def _count(told: _Tree, name: str, most: int) -> int:
    found = _get(told, name)
    if found is None:
        return 0
    number = _integer(found, name)
    if not 0 <= number <= most:
        raise RejectedError(f"{name} is out of range: {str(found)[:40]!r}")
    return number


def _integer(value: object, name: str) -> int:
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            value = None
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        raise RejectedError(f"{name} is not a whole number")
    return int(value)


def _enum(value: object, prefix: str, names: dict[str, int]) -> int:
    if isinstance(value, str):
        return names.get(value.removeprefix(prefix), 0)
    return value if isinstance(value, int) and 0 <= value <= _UINT32 else 0


def _list(told: _Tree, name: str) -> list[_Tree]:
    found = told.get(name)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise RejectedError(f"{name} is not a list of objects")
    return found


def _attributes(told: _Tree) -> Attributes:
    found: Attributes = {}
    for pair in _list(told, "attributes"):
        key = pair.get("key")
        if not isinstance(key, str):
            raise RejectedError("an attribute has no key")
        value = pair.get("value")
        if type(value) is dict and len(value) == 1 and type(text := value.get("stringValue")) is str:
            if len(text) > MAX_ATTRIBUTE // 4 and len(text.encode()) > MAX_ATTRIBUTE:
                raise too_big(key)
            found[key] = text
        else:
            found[key] = _bounded(key, value)
    return found


def _bounded(key: str, told: object) -> AttributeValue:
    value = _value(told, 0)
    if isinstance(value, list | dict):
        size = len(msgspec.json.encode(value))
    else:
        size = len(value) if isinstance(value, str | bytes) else 0
    if size > MAX_ATTRIBUTE:
        raise too_big(key)
    return value


def _value(told: object, depth: int) -> AttributeValue:  # noqa: C901, PLR0911, PLR0912 - one line a kind of value
    if told is None:
        return None
    if not isinstance(told, dict):
        raise RejectedError(f"a value is not an object: {str(told)[:40]!r}")
    if depth > MAX_DEPTH:
        raise too_deep()
    for kind, inner in told.items():
        match kind:
            case "stringValue" | "string_value" if isinstance(inner, str):
                return inner
            case "intValue" | "int_value":
                number = _integer(inner, "an intValue")
                if not -_INT64 <= number < _INT64:
                    raise RejectedError(f"an intValue has more than 64 bits: {number}")
                return number
            case "doubleValue" | "double_value":
                return _double(inner)
            case "boolValue" | "bool_value" if isinstance(inner, bool):
                return inner
            case "bytesValue" | "bytes_value":
                return _bytes(inner)
            case "arrayValue" | "array_value" if isinstance(inner, dict):
                values = inner.get("values") or []
                if not isinstance(values, list):
                    raise RejectedError("an arrayValue has no list")
                return [_value(one, depth + 1) for one in values]
            case "kvlistValue" | "kvlist_value" if isinstance(inner, dict):
                return {str(one.get("key", "")): _value(one.get("value"), depth + 1) for one in _list(inner, "values")}
            case (
                "stringValue" | "string_value" | "boolValue" | "bool_value"
                | "arrayValue" | "array_value" | "kvlistValue" | "kvlist_value"
            ):  # fmt: skip
                raise RejectedError(f"a {kind} is not one: {str(inner)[:40]!r}")
    return None


def _double(value: object) -> float:
    # protobuf's JSON writes NaN and the infinities as text.
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise RejectedError(f"a doubleValue is not a number: {str(value)[:40]!r}")
    try:
        return float(value)
    except (ValueError, OverflowError):
        raise RejectedError(f"a doubleValue is not a number: {str(value)[:40]!r}") from None


def _bytes(value: object) -> bytes:
    if not isinstance(value, str):
        raise RejectedError("a bytesValue is not base64")
    try:
        return base64.b64decode(value)
    except (binascii.Error, ValueError):
        raise RejectedError("a bytesValue is not base64") from None
