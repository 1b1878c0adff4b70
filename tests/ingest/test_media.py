"""What an OTLP client is answered."""

from __future__ import annotations

import json

import pytest
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from watchkeeper.ingest import encode_partial, encode_status
from watchkeeper.ingest.media import Signal
from watchkeeper.kit.errors import MediaTypeError

SIGNALS: list[tuple[Signal, type[Message], str]] = [
    ("traces", ExportTraceServiceResponse, "rejectedSpans"),
    ("logs", ExportLogsServiceResponse, "rejectedLogRecords"),
    ("metrics", ExportMetricsServiceResponse, "rejectedDataPoints"),
]


def test_no_answer_in_another_encoding() -> None:
    """An export answer is written in one of OTLP's encodings or not at all."""
    with pytest.raises(MediaTypeError):
        encode_partial("traces", "text/html", 0, "")


@pytest.mark.parametrize(("signal", "kind", "field"), SIGNALS)
def test_what_was_rejected_is_said(signal: Signal, kind: type[Message], field: str) -> None:
    """A partial success carries the count and the reason in the request's own encoding."""
    protobuf, media = encode_partial(signal, "application/x-protobuf; charset=utf-8", 2, "too big")
    text, text_media = encode_partial(signal, "application/json", 2, "too big")

    assert (media, text_media) == ("application/x-protobuf", "application/json")
    assert "too big" in str(kind.FromString(protobuf))
    assert json.loads(text) == {"partialSuccess": {field: "2", "errorMessage": "too big"}}


@pytest.mark.parametrize(("signal", "kind", "field"), SIGNALS)
def test_a_whole_success_says_nothing(signal: Signal, kind: type[Message], field: str) -> None:
    """When nothing was rejected there is no partial success, as the protocol asks."""
    assert encode_partial(signal, "application/x-protobuf", 0, "") == (b"", "application/x-protobuf")
    assert json.loads(encode_partial(signal, "application/json", 0, "")[0]) == {}


def test_a_status_for_a_stranger_is_json() -> None:
    """An error about an encoding that is not OTLP's is told in JSON."""
    body, media = encode_status("text/html", 3, "no")

    assert (json.loads(body), media) == ({"code": 3, "message": "no"}, "application/json")


def test_a_status_in_protobuf_is_read_by_google() -> None:
    """The status we write by hand is read by Google's own class, long message and all."""
    from google.rpc.status_pb2 import Status  # type: ignore[import-untyped] # has no types

    body, media = encode_status("application/x-protobuf", 14, "é" * 300)
    status = Status.FromString(body)

    assert (status.code, status.message, media) == (14, "é" * 300, "application/x-protobuf")
