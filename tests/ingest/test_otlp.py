"""OTLP bodies: refused as a whole only when they are no OTLP at all, item by item otherwise."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from tests.ingest.recorded import CLIENTS, JSON, PROTOBUF, as_json, body
from watchkeeper.ingest import (
    count_metrics,
    decode_logs,
    decode_logs_message,
    decode_traces,
    decode_traces_message,
)
from watchkeeper.kit.errors import MediaTypeError, RequestError

DECODERS: list[Callable[[bytes, str], object]] = [decode_traces, decode_logs, count_metrics]
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def json_body(*spans: dict[str, Any], resource: dict[str, Any] | None = None) -> bytes:
    """Write spans as an OTLP/JSON request."""
    group = {"resource": resource or {}, "scopeSpans": [{"scope": {"name": "s"}, "spans": list(spans)}]}
    return json.dumps({"resourceSpans": [group]}).encode()


def good(**given: Any) -> dict[str, Any]:
    """Return a JSON span with nothing wrong but what is given."""
    return {"traceId": TRACE, "spanId": SPAN, "name": "n", "startTimeUnixNano": "5", "endTimeUnixNano": "9", **given}


def attribute(value: object, key: str = "k") -> dict[str, Any]:
    """Return a JSON span with one attribute."""
    return good(attributes=[{"key": key, "value": value}])


def nested(depth: int) -> dict[str, Any]:
    """Return a JSON value nested so deep."""
    value: dict[str, Any] = {"intValue": 1}
    for _ in range(depth):
        value = {"arrayValue": {"values": [value]}}
    return value


def one_span() -> ExportTraceServiceRequest:
    """Return a protobuf request of one good span."""
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add()
    span.trace_id, span.span_id, span.name = bytes.fromhex(TRACE), bytes.fromhex(SPAN), "n"
    return request


@pytest.mark.parametrize("decode", DECODERS)
@pytest.mark.parametrize("media", ["", "text/plain", "application/grpc", "application/x-protobuf2"])
def test_another_media_type_is_refused(decode: Callable[[bytes, str], object], media: str) -> None:
    """A media type that is neither of OTLP's is refused as such."""
    with pytest.raises(MediaTypeError):
        decode(b"", media)


@pytest.mark.parametrize("decode", DECODERS)
@pytest.mark.parametrize(
    ("sent", "media"),
    [
        (b"\xff\xff\xff", PROTOBUF),
        (b"{", JSON),
        (b"[]", JSON),
        (b'"\xff"', JSON),
        (b"[" * 100_000, JSON),
        (b'{"resourceSpans": 1, "resourceLogs": 1, "resourceMetrics": 1}', JSON),
        (b'{"resourceSpans": [1], "resourceLogs": [1], "resourceMetrics": [1]}', JSON),
    ],
)
def test_a_body_that_is_no_otlp_is_refused(decode: Callable[[bytes, str], object], sent: bytes, media: str) -> None:
    """A body that does not parse, or has not OTLP's shape, is a bad request."""
    with pytest.raises(RequestError):
        decode(sent, media)


@pytest.mark.parametrize("decode", DECODERS)
@given(sent=st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(decode: Callable[[bytes, str], object], sent: bytes) -> None:
    """Whatever bytes arrive in either encoding, nothing but a bad request comes of them."""
    for media in (PROTOBUF, JSON):
        with contextlib.suppress(RequestError):
            decode(sent, media)


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
NAMES = st.sampled_from(
    ["resourceSpans", "scopeSpans", "spans", "resource", "scope", "attributes", "key", "value", "stringValue", "intValue",
     "arrayValue", "kvlistValue", "values", "traceId", "spanId", "events", "links", "status", "kind", "startTimeUnixNano",
     "resourceLogs", "scopeLogs", "logRecords", "body", "resourceMetrics", "scopeMetrics", "metrics", "sum", "dataPoints"]
)  # fmt: skip
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=20
)


@pytest.mark.parametrize("decode", DECODERS)
@given(tree=st.dictionaries(NAMES, TREES, max_size=3), item=st.dictionaries(NAMES, TREES, max_size=6))
def test_any_json_is_read_or_refused(
    decode: Callable[[bytes, str], object], tree: dict[str, Any], item: dict[str, Any]
) -> None:
    """JSON that is nearly OTLP, at its top or within an item, is read or refused and never breaks."""
    inside = {
        "resourceSpans": [{"scopeSpans": [{"spans": [item]}]}],
        "resourceLogs": [{"scopeLogs": [{"logRecords": [{"traceId": TRACE, "spanId": SPAN, **item}]}]}],
        "resourceMetrics": [{"scopeMetrics": [{"metrics": [item]}]}],
    }
    for told in (tree, inside):
        with contextlib.suppress(RequestError):
            decode(json.dumps(told).encode(), JSON)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (good(traceId="abc"), "trace id"),
        (good(traceId="0" * 32), "trace id"),
        (good(spanId=""), "span id"),
        (good(spanId=7), "span id"),
        (good(parentSpanId="xyz"), "parent span id"),
        (good(startTimeUnixNano="soon"), "startTimeUnixNano"),
        (good(endTimeUnixNano=-1), "endTimeUnixNano"),
        (good(endTimeUnixNano=str(2**63)), "endTimeUnixNano"),
        (good(name=["n"]), "name"),
        (good(attributes={"a": 1}), "attributes"),
        (attribute("bare"), "not an object"),
        (attribute({"stringValue": 1}), "stringValue"),
        (attribute({"intValue": "1.5"}), "intValue"),
        (attribute({"intValue": str(2**63)}), "64 bits"),
        (attribute({"doubleValue": "much"}), "doubleValue"),
        (attribute({"bytesValue": "é"}), "base64"),
        (attribute(nested(40)), "deeper"),
        (attribute({"stringValue": "x" * (16 * 2**20 + 1)}), "limit"),
        (attribute({"arrayValue": {"values": [{"stringValue": "x" * 2**20}] * 17}}), "limit"),
    ],
)
def test_one_bad_json_span_does_not_reject_its_batch(bad: dict[str, Any], reason: str) -> None:
    """A JSON span that cannot be kept is counted with its reason, and the others of its batch are kept."""
    found = decode_traces(json_body(good(), bad, good(spanId="1" * 16)), JSON)

    assert [one.span_id for one in found.spans] == [SPAN, "1" * 16]
    assert found.rejected == 1
    assert reason in found.reason


def break_id(request: ExportTraceServiceRequest) -> None:
    """Give the span an id that is too short."""
    request.resource_spans[0].scope_spans[0].spans[0].span_id = b"abc"


def break_trace(request: ExportTraceServiceRequest) -> None:
    """Give the span a trace id of zeros."""
    request.resource_spans[0].scope_spans[0].spans[0].trace_id = bytes(16)


def break_parent(request: ExportTraceServiceRequest) -> None:
    """Give the span a parent id that is too long."""
    request.resource_spans[0].scope_spans[0].spans[0].parent_span_id = b"a" * 9


def break_time(request: ExportTraceServiceRequest) -> None:
    """End the span after the year 2262."""
    request.resource_spans[0].scope_spans[0].spans[0].end_time_unix_nano = 2**63


def break_attribute(request: ExportTraceServiceRequest) -> None:
    """Give the span an attribute over the limit, in two-byte characters."""
    value = AnyValue(string_value="é" * (9 * 2**20))
    request.resource_spans[0].scope_spans[0].spans[0].attributes.append(KeyValue(key="k", value=value))


def break_list(request: ExportTraceServiceRequest) -> None:
    """Give the span a list over the limit though none of its items is."""
    value = AnyValue()
    for _ in range(17):
        value.array_value.values.add(string_value="x" * 2**20)
    request.resource_spans[0].scope_spans[0].spans[0].attributes.append(KeyValue(key="k", value=value))


def break_depth(request: ExportTraceServiceRequest) -> None:
    """Give the span an attribute that is nested too deep."""
    value = AnyValue(int_value=1)
    for _ in range(40):
        outer = AnyValue()
        outer.array_value.values.append(value)
        value = outer
    request.resource_spans[0].scope_spans[0].spans[0].attributes.append(KeyValue(key="k", value=value))


def break_resource(request: ExportTraceServiceRequest) -> None:
    """Give the resource an attribute over the limit."""
    value = AnyValue(bytes_value=bytes(16 * 2**20 + 1))
    request.resource_spans[0].resource.attributes.append(KeyValue(key="k", value=value))


@pytest.mark.parametrize(
    "breaking",
    [break_id, break_trace, break_parent, break_time, break_attribute, break_list, break_depth, break_resource],
)
def test_one_bad_protobuf_span_does_not_reject_its_batch(
    breaking: Callable[[ExportTraceServiceRequest], None],
) -> None:
    """A protobuf span that cannot be kept is counted with a reason, and the others of its batch are kept."""
    bad = one_span()
    breaking(bad)
    found = decode_traces(bad.SerializeToString() + one_span().SerializeToString(), PROTOBUF)

    assert [one.span_id for one in found.spans] == [SPAN]
    assert found.rejected == 1
    assert found.reason


def test_log_records_that_name_no_span_are_counted() -> None:
    """A log record without a trace and a span is not stored, and the sender is told why."""
    request = ExportLogsServiceRequest()
    records = request.resource_logs.add().scope_logs.add().log_records
    records.add(trace_id=bytes.fromhex(TRACE), span_id=bytes.fromhex(SPAN), event_name="kept")
    records.add(trace_id=bytes.fromhex(TRACE))
    found = decode_logs(request.SerializeToString(), PROTOBUF)

    assert [one.event_name for one in found.logs] == ["kept"]
    assert (found.rejected, "name no span" in found.reason) == (1, True)


@pytest.mark.parametrize("media", ["application/json;charset=UTF-8", "Application/JSON ; a=b"])
def test_media_types_ignore_parameters_and_case(media: str) -> None:
    """Parameters and case of a media type do not matter."""
    assert len(decode_traces(json_body(good()), media).spans) == 1


@pytest.mark.parametrize("media", ["application/x-protobuf; charset=utf-8", "APPLICATION/X-PROTOBUF"])
def test_protobuf_too(media: str) -> None:
    """They do not matter for protobuf either."""
    assert len(decode_traces(one_span().SerializeToString(), media).spans) == 1


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(("snake", "base64_ids"), [(False, False), (True, False), (False, True)])
def test_json_gives_what_protobuf_gives(client: str, snake: bool, base64_ids: bool) -> None:  # noqa: FBT001 - a case
    """The same request as JSON, in either spelling and with either kind of id, gives the same spans."""
    expected = decode_traces(body(client), PROTOBUF)

    assert decode_traces(as_json(body(client), snake=snake, base64_ids=base64_ids), JSON) == expected


def test_json_takes_names_for_enums_and_numbers_for_int64() -> None:
    """Enums by name and 64-bit integers as numbers are read, though OTLP/JSON writes them otherwise."""
    sent = good(kind="SPAN_KIND_CLIENT", status={"code": "STATUS_CODE_ERROR"}, startTimeUnixNano=5)
    (span,) = decode_traces(json_body(sent), JSON).spans

    assert (span.otel_kind, span.status_code, span.start_time) == (3, 2, 5)


def test_every_kind_of_value_is_kept_with_its_type() -> None:
    """Strings, integers, doubles, booleans, bytes, arrays, maps and nothing arrive as what they are."""
    values = {
        "s": {"stringValue": "x"}, "i": {"intValue": str(2**63 - 1)}, "d": {"doubleValue": 1.0},
        "n": {"doubleValue": "-Infinity"}, "b": {"boolValue": True}, "y": {"bytesValue": "AAE="}, "e": {},
        "a": {"arrayValue": {"values": [{"intValue": 1}, {}]}},
        "m": {"kvlistValue": {"values": [{"key": "k", "value": {"boolValue": False}}]}},
    }  # fmt: skip
    expected = {
        "s": "x", "i": 2**63 - 1, "d": 1.0, "n": float("-inf"), "b": True, "y": b"\x00\x01", "e": None, "a": [1, None],
        "m": {"k": False},
    }  # fmt: skip
    attributes = [{"key": key, "value": value} for key, value in values.items()]
    (span,) = decode_traces(json_body(good(attributes=attributes)), JSON).spans

    assert {key: type(value) for key, value in span.attributes.items()} == {
        key: type(value) for key, value in expected.items()
    }
    assert span.attributes == expected


def test_what_came_is_kept_verbatim() -> None:
    """Scope, links, state, flags and dropped counts of a span are kept, though nothing reads them yet."""
    request = one_span()
    scope = request.resource_spans[0].scope_spans[0]
    scope.scope.name, scope.scope.version = "lib", "1"
    span = scope.spans[0]
    span.trace_state, span.flags, span.dropped_events_count = "a=b", 257, 3
    span.links.add(trace_id=bytes.fromhex(TRACE), span_id=b"\x01" * 8)
    (found,) = decode_traces_message(request).spans

    assert (found.scope.name, found.scope.version) == ("lib", "1")
    assert (found.trace_state, found.flags, found.dropped_events) == ("a=b", 257, 3)
    assert [(one.trace_id, one.span_id) for one in found.links] == [(TRACE, "01" * 8)]


def evaluation(**attributes: Any) -> ExportLogsServiceRequest:
    """Return a log request with one evaluation result."""
    request = ExportLogsServiceRequest()
    record = (
        request.resource_logs.add()
        .scope_logs.add()
        .log_records.add(
            trace_id=bytes.fromhex(TRACE),
            span_id=bytes.fromhex(SPAN),
            event_name="gen_ai.evaluation.result",
            time_unix_nano=5,
        )
    )
    for key, value in attributes.items():
        kind = "string_value" if isinstance(value, str) else "double_value"
        record.attributes.append(
            KeyValue(key="gen_ai.evaluation." + key.replace("_", "."), value=AnyValue(**{kind: value}))
        )
    return request


def test_an_evaluation_without_a_number_has_none() -> None:
    """A result whose value is not a finite number keeps its label and has no value."""
    (score,) = decode_logs_message(evaluation(name="tone", score_value=float("nan"), score_label="kind")).scores

    assert (score.value, score.label) == (None, "kind")


def test_an_evaluation_is_a_score_once() -> None:
    """An evaluation result becomes a score on its span, and sent again it is the same score."""
    request = evaluation(name="tone", score_value=0.75, score_label="kind", explanation="polite")
    (first,), (again,) = (decode_logs_message(request).scores for _ in range(2))

    assert (first.name, first.value, first.label, first.comment) == ("tone", 0.75, "kind", "polite")
    assert (first.trace_id, first.span_id, first.time) == (TRACE, SPAN, 5)
    assert first == again


def test_different_evaluations_are_different_scores() -> None:
    """Two results of different names on one span do not replace each other."""
    one, two = (decode_logs_message(evaluation(name=name, score_value=1.0)).scores[0].id for name in "ab")

    assert one != two


@pytest.mark.parametrize("client", ["genai", "genai_events"])
def test_metrics_are_counted_by_data_point(client: str) -> None:
    """The data points a real client sends are counted, the same in both encodings."""
    from google.protobuf.json_format import MessageToJson
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

    request = ExportMetricsServiceRequest.FromString(body(client, "metrics"))
    expected = sum(
        len(metric.histogram.data_points)
        for group in request.resource_metrics
        for scope in group.scope_metrics
        for metric in scope.metrics
    )

    assert expected > 4
    assert count_metrics(body(client, "metrics"), PROTOBUF) == expected
    assert count_metrics(MessageToJson(request).encode(), JSON) == expected
