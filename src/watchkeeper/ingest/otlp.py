"""OTLP messages to raw spans and log records, typed and verbatim. One bad item never rejects its batch."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from watchkeeper.ingest.media import is_json, parse_protobuf
from watchkeeper.ingest.otlp_json import parse_json
from watchkeeper.model import Attributes, AttributeValue, RawEvent, RawLink, RawLog, RawSpan, Scope, Score, ScoreSource

__all__ = [
    "MAX_ATTRIBUTE", "DecodedLogs", "DecodedTraces", "count_metrics", "decode_logs", "decode_logs_message",
    "decode_traces", "decode_traces_message",
]  # fmt: skip

MAX_ATTRIBUTE = 16 << 20
"""Most bytes of one attribute."""

_TRACE_ID, _SPAN_ID = 16, 8
_MAX_DEPTH = 32
_EVALUATION = "gen_ai.evaluation.result"
_MAX_TIME = 2**63 - 1


class DecodedTraces(msgspec.Struct, frozen=True):
    """Spans that can be kept, and how many could not, with the first reason."""

    spans: tuple[RawSpan, ...]
    rejected: int = 0
    reason: str = ""


class DecodedLogs(msgspec.Struct, frozen=True):
    """Log records that name a span, scores among them, and how many records name none."""

    logs: tuple[RawLog, ...]
    scores: tuple[Score, ...] = ()
    rejected: int = 0
    reason: str = ""


class _RejectedError(ValueError):
    """This one item cannot be kept."""


def decode_traces(body: bytes, content_type: str) -> DecodedTraces:
    """Decode an `ExportTraceServiceRequest`.

    Raises:
        MediaTypeError: neither protobuf nor JSON.
        RequestError: the body does not parse.
    """
    if is_json(content_type):
        return decode_traces_message(parse_json(ExportTraceServiceRequest, body))
    return decode_traces_message(parse_protobuf(ExportTraceServiceRequest, body))


def decode_traces_message(message: ExportTraceServiceRequest) -> DecodedTraces:
    """Decode a request that gRPC has parsed."""
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
                except _RejectedError as error:
                    rejected += 1
                    reason = reason or str(error)
    return DecodedTraces(tuple(spans), rejected, reason)


def decode_logs(body: bytes, content_type: str) -> DecodedLogs:
    """Decode an `ExportLogsServiceRequest`; raises as `decode_traces` does."""
    if is_json(content_type):
        return decode_logs_message(parse_json(ExportLogsServiceRequest, body))
    return decode_logs_message(parse_protobuf(ExportLogsServiceRequest, body))


def decode_logs_message(message: ExportLogsServiceRequest) -> DecodedLogs:
    """Decode a request that gRPC has parsed."""
    logs: list[RawLog] = []
    scores: list[Score] = []
    rejected, reason = 0, ""
    for group in message.resource_logs:
        for inner in group.scope_logs:
            for record in inner.log_records:
                try:
                    log = _log(record)
                except _RejectedError as error:
                    rejected += 1
                    reason = reason or str(error)
                    continue
                logs.append(log)
                if log.event_name == _EVALUATION:
                    scores.append(_score(log))
    return DecodedLogs(tuple(logs), tuple(scores), rejected, reason)


def count_metrics(body: bytes, content_type: str) -> int:
    """Check an `ExportMetricsServiceRequest` and count its metrics; raises as `decode_traces` does."""
    if is_json(content_type):
        message = parse_json(ExportMetricsServiceRequest, body)
    else:
        message = parse_protobuf(ExportMetricsServiceRequest, body)
    return sum(len(inner.metrics) for group in message.resource_metrics for inner in group.scope_metrics)


def _span(span: Any, resource: Attributes, scope: Scope) -> RawSpan:  # noqa: ANN401 - protobuf is untyped
    trace_id, span_id, parent = span.trace_id, span.span_id, span.parent_span_id
    if len(trace_id) != _TRACE_ID or not any(trace_id):
        raise _RejectedError(f"a trace id has {len(trace_id)} bytes or is all zero, not 16: {trace_id[:20].hex()!r}")
    if len(span_id) != _SPAN_ID or not any(span_id):
        raise _RejectedError(f"a span id has {len(span_id)} bytes or is all zero, not 8: {span_id[:20].hex()!r}")
    if parent and len(parent) != _SPAN_ID:
        raise _RejectedError(f"a parent span id has {len(parent)} bytes, not 8: {parent[:20].hex()!r}")
    start, end = span.start_time_unix_nano, span.end_time_unix_nano
    if start > _MAX_TIME or end > _MAX_TIME:
        raise _RejectedError(f"span {span_id.hex()} has a time beyond the year 2262")
    return RawSpan(
        trace_id=trace_id.hex(),
        span_id=span_id.hex(),
        parent_span_id=parent.hex() if any(parent) else "",
        name=span.name,
        otel_kind=span.kind,
        start_time=start,
        end_time=end,
        status_code=span.status.code,
        status_message=span.status.message,
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


def _event(event: Any) -> RawEvent:  # noqa: ANN401 - protobuf is untyped
    return RawEvent(name=event.name, time=event.time_unix_nano, attributes=_attributes(event.attributes))


def _link(link: Any) -> RawLink:  # noqa: ANN401 - protobuf is untyped
    return RawLink(trace_id=link.trace_id.hex(), span_id=link.span_id.hex(), attributes=_attributes(link.attributes))


def _log(record: Any) -> RawLog:  # noqa: ANN401 - protobuf is untyped
    trace_id, span_id = record.trace_id, record.span_id
    if len(trace_id) != _TRACE_ID or len(span_id) != _SPAN_ID or not any(trace_id) or not any(span_id):
        raise _RejectedError("log records that name no span (trace id and span id) are not stored")
    attributes = _attributes(record.attributes)
    named = record.event_name or attributes.get("event.name")
    return RawLog(
        trace_id=trace_id.hex(),
        span_id=span_id.hex(),
        time=min(record.time_unix_nano or record.observed_time_unix_nano, _MAX_TIME),
        event_name=named if isinstance(named, str) else "",
        severity=record.severity_number,
        body=_value(record.body, 0),
        attributes=attributes,
    )


def _score(log: RawLog) -> Score:
    found = log.attributes
    value, label = found.get("gen_ai.evaluation.score.value"), found.get("gen_ai.evaluation.score.label")
    name, comment = found.get("gen_ai.evaluation.name"), found.get("gen_ai.evaluation.explanation")
    key = f"{log.trace_id}{log.span_id}{name!r}{log.time}{value!r}{label!r}"
    source: ScoreSource = "judge"
    return Score(
        id=hashlib.sha256(key.encode()).hexdigest()[:32],
        name=name if isinstance(name, str) and name else "evaluation",
        trace_id=log.trace_id,
        span_id=log.span_id,
        value=float(value) if isinstance(value, int | float) else None,
        label=label if isinstance(label, str) else None,
        source=source,
        comment=comment if isinstance(comment, str) else None,
        time=log.time,
    )


def _shared(pairs: Any) -> tuple[Attributes, str]:  # noqa: ANN401 - protobuf is untyped
    try:
        return _attributes(pairs), ""
    except _RejectedError as error:
        return {}, str(error)


def _attributes(pairs: Any) -> Attributes:  # noqa: ANN401 - protobuf is untyped
    found: Attributes = {}
    for pair in pairs:
        value = pair.value
        kind = value.WhichOneof("value")
        if kind == "string_value":
            text = value.string_value
            if len(text) > MAX_ATTRIBUTE:
                raise _RejectedError(
                    f"attribute {pair.key[:80]!r} has {len(text)} characters; the limit is {MAX_ATTRIBUTE}"
                )
            found[pair.key] = text
        elif kind == "int_value":
            found[pair.key] = value.int_value
        else:
            found[pair.key] = _value(value, 0)
    return found


def _value(value: Any, depth: int) -> AttributeValue:  # noqa: ANN401 - protobuf is untyped
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        if depth > _MAX_DEPTH:
            raise _RejectedError(f"an attribute is nested deeper than {_MAX_DEPTH} levels")
        return [_value(item, depth + 1) for item in value.array_value.values]
    if kind == "kvlist_value":
        if depth > _MAX_DEPTH:
            raise _RejectedError(f"an attribute is nested deeper than {_MAX_DEPTH} levels")
        return {pair.key: _value(pair.value, depth + 1) for pair in value.kvlist_value.values}
    found = getattr(value, kind)
    if kind in {"string_value", "bytes_value"} and len(found) > MAX_ATTRIBUTE:
        raise _RejectedError(f"an attribute has {len(found)} bytes; the limit is {MAX_ATTRIBUTE}")
    plain: AttributeValue = found
    return plain
