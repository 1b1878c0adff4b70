"""OTLP bodies to raw spans and log records, typed and verbatim. One bad item never rejects its batch."""

from __future__ import annotations

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from watchkeeper.ingest import otlp_json, otlp_protobuf
from watchkeeper.ingest.decoded import DecodedLogs, DecodedTraces
from watchkeeper.ingest.media import is_json, parse_protobuf

__all__ = ["count_metrics", "decode_logs", "decode_logs_message", "decode_traces", "decode_traces_message"]

decode_traces_message = otlp_protobuf.traces
decode_logs_message = otlp_protobuf.logs


def decode_traces(body: bytes, content_type: str) -> DecodedTraces:
    """Decode an `ExportTraceServiceRequest`.

    Raises:
        MediaTypeError: neither protobuf nor JSON.
        RequestError: the body does not parse.
    """
    if is_json(content_type):
        return otlp_json.traces(body)
    return otlp_protobuf.traces(parse_protobuf(ExportTraceServiceRequest, body))


def decode_logs(body: bytes, content_type: str) -> DecodedLogs:
    """Decode an `ExportLogsServiceRequest`; raises as `decode_traces` does."""
    if is_json(content_type):
        return otlp_json.logs(body)
    return otlp_protobuf.logs(parse_protobuf(ExportLogsServiceRequest, body))


def count_metrics(body: bytes, content_type: str) -> int:
    """Check an `ExportMetricsServiceRequest` and count its data points; raises as `decode_traces` does."""
    if is_json(content_type):
        return otlp_json.data_points(body)
    return otlp_protobuf.data_points(parse_protobuf(ExportMetricsServiceRequest, body))
