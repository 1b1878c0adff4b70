"""OTLP's protobuf messages to raw spans and log records."""

from __future__ import annotations

from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

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
from watchkeeper.model import Attributes, AttributeValue, RawEvent, RawLink, RawLog, RawSpan, Scope

__all__ = ["data_points", "logs", "traces"]

_TRACE_ID, _SPAN_ID = 16, 8
_SHORT = MAX_ATTRIBUTE // 4


def traces(message: ExportTraceServiceRequest) -> DecodedTraces:
    """Decode a trace request that is parsed already, as gRPC's are."""
    spans: list[RawSpan] = []
    rejected, reason = 0, ""
    for group in message.resource_spans:
        resource, broken = _shared(group.resource.attributes)
        for inner in group.scope_spans:
            told, broken_scope = _shared(inner.scope.attributes)
            scope = Scope(name=inner.scope.name, version=inner.scope.version, attributes=told)
            if broken or broken_scope:
                rejected += len(inner.spans)
                reason = reason or broken or broken_scope
                continue
            for span in inner.spans:
                try:
                    spans.append(_span(span, resource, scope))
                except RejectedError as error:
                    rejected += 1
                    reason = reason or str(error)
    return DecodedTraces(tuple(spans), rejected, reason)


def logs(message: ExportLogsServiceRequest) -> DecodedLogs:
    """Decode a log request that is parsed already, as gRPC's are."""
    records: list[RawLog] = []
    services: list[str] = []
    rejected, reason = 0, ""
    for group in message.resource_logs:
        service = service_of(_shared(group.resource.attributes)[0])
        for inner in group.scope_logs:
            for record in inner.log_records:
                try:
                    records.append(_log(record))
                    services.append(service)
                except RejectedError as error:
                    rejected += 1
                    reason = reason or str(error)
    return logs_of(records, services, rejected, reason)


def data_points(message: ExportMetricsServiceRequest) -> int:
    """Count the data points of a metrics request."""
    found = 0
    for group in message.resource_metrics:
        for inner in group.scope_metrics:
            for metric in inner.metrics:
                kind = metric.WhichOneof("data")
                found += len(getattr(metric, kind).data_points) if kind else 0
    return found


def _span(span: Any, resource: Attributes, scope: Scope) -> RawSpan:  # noqa: ANN401 - protobuf is untyped
    trace_id, span_id, parent = span.trace_id, span.span_id, span.parent_span_id
    if len(trace_id) != _TRACE_ID or not any(trace_id):
        raise RejectedError(f"a trace id has {len(trace_id)} bytes or is all zero, not 16: {trace_id[:20].hex()!r}")
    if len(span_id) != _SPAN_ID or not any(span_id):
        raise RejectedError(f"a span id has {len(span_id)} bytes or is all zero, not 8: {span_id[:20].hex()!r}")
    if parent and len(parent) != _SPAN_ID:
        raise RejectedError(f"a parent span id has {len(parent)} bytes, not 8: {parent[:20].hex()!r}")
    start, end = span.start_time_unix_nano, span.end_time_unix_nano
    if start > MAX_TIME or end > MAX_TIME:
        raise RejectedError(f"span {span_id.hex()} has a time beyond the year 2262")
    status = span.status
    found = RawSpan(
        trace_id=trace_id.hex(),
        span_id=span_id.hex(),
        parent_span_id=parent.hex() if any(parent) else "",
        name=span.name,
        otel_kind=span.kind,
        start_time=start,
        end_time=end,
        status_code=status.code,
        status_message=status.message,
        trace_state=span.trace_state,
        flags=span.flags,
        dropped_attributes=span.dropped_attributes_count,
        dropped_events=span.dropped_events_count,
        dropped_links=span.dropped_links_count,
        attributes=_attributes(span.attributes),
        resource=resource,
        scope=scope,
        events=tuple(_event(event) for event in span.events) if span.events else (),
        links=tuple(_link(link) for link in span.links) if span.links else (),
    )
    return begun(found)


def _event(event: Any) -> RawEvent:  # noqa: ANN401 - protobuf is untyped
    return RawEvent(name=event.name, time=min(event.time_unix_nano, MAX_TIME), attributes=_attributes(event.attributes))


def _link(link: Any) -> RawLink:  # noqa: ANN401 - protobuf is untyped
    return RawLink(trace_id=link.trace_id.hex(), span_id=link.span_id.hex(), attributes=_attributes(link.attributes))


def _log(record: Any) -> RawLog:  # noqa: ANN401 - protobuf is untyped
    trace_id, span_id = record.trace_id, record.span_id
    if len(trace_id) != _TRACE_ID or len(span_id) != _SPAN_ID or not any(trace_id) or not any(span_id):
        raise RejectedError(NO_SPAN)
    if record.body.ByteSize() > MAX_ATTRIBUTE:
        raise too_big("body")
    attributes = _attributes(record.attributes)
    named = record.event_name or attributes.get("event.name")
    return RawLog(
        trace_id=trace_id.hex(),
        span_id=span_id.hex(),
        time=min(record.time_unix_nano or record.observed_time_unix_nano, MAX_TIME),
        event_name=named if isinstance(named, str) else "",
        severity=record.severity_number,
        body=_value(record.body, 0),
        attributes=attributes,
    )


def _shared(pairs: Any) -> tuple[Attributes, str]:  # noqa: ANN401 - protobuf is untyped
    try:
        return _attributes(pairs), ""
    except RejectedError as error:
        return {}, str(error)


def _attributes(pairs: Any) -> Attributes:  # noqa: ANN401 - protobuf is untyped
    found: Attributes = {}
    for pair in pairs:
        value = pair.value
        # Most are texts, and one that is not empty needs no asking what it is.
        text = value.string_value
        if text:
            # A character has at most four bytes: short texts need no counting.
            if len(text) > _SHORT and value.ByteSize() > MAX_ATTRIBUTE:
                raise too_big(pair.key)
            found[pair.key] = text
            continue
        kind = value.WhichOneof("value")
        if kind == "int_value":
            found[pair.key] = value.int_value
        elif value.ByteSize() > MAX_ATTRIBUTE:
            raise too_big(pair.key)
        else:
            found[pair.key] = _value(value, 0)
    return found


def _value(value: Any, depth: int) -> AttributeValue:  # noqa: ANN401 - protobuf is untyped
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        if depth > MAX_DEPTH:
            raise too_deep()
        return [_value(item, depth + 1) for item in value.array_value.values]
    if kind == "kvlist_value":
        if depth > MAX_DEPTH:
            raise too_deep()
        return {pair.key: _value(pair.value, depth + 1) for pair in value.kvlist_value.values}
    plain: AttributeValue = getattr(value, kind)
    return plain
