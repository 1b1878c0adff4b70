"""The two encodings of OTLP/HTTP, by media type; parameters and case do not matter."""

from __future__ import annotations

from typing import Literal, TypeAlias, TypeVar

from google.protobuf.json_format import MessageToJson
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from watchkeeper.ingest.rpc_status import rpc_status
from watchkeeper.kit.errors import MediaTypeError, RequestError

__all__ = ["Signal", "encode_partial", "encode_status", "is_json", "parse_protobuf"]

Signal: TypeAlias = Literal["traces", "logs", "metrics"]
M = TypeVar("M", bound=Message)

PROTOBUF = "application/x-protobuf"
JSON = "application/json"


def is_json(content_type: str) -> bool:
    """Say whether the media type is JSON, else protobuf.

    Raises:
        MediaTypeError: it is neither.
    """
    name = content_type.partition(";")[0].strip().lower()
    if name == JSON:
        return True
    if name in {PROTOBUF, "application/protobuf"}:
        return False
    raise MediaTypeError(f"the content type {name[:80]!r} is not OTLP", hint=f"{PROTOBUF} or {JSON}")


def parse_protobuf(kind: type[M], body: bytes) -> M:
    """Parse a protobuf body.

    Raises:
        RequestError: it does not parse.
    """
    try:
        return kind.FromString(body)
    except DecodeError as error:
        raise RequestError(f"the body is not a protobuf {kind.DESCRIPTOR.name}") from error


def encode_partial(signal: Signal, content_type: str, rejected: int, reason: str) -> tuple[bytes, str]:
    """Write the export response: body and media type; `partial_success` only when something was refused."""
    response: ExportTraceServiceResponse | ExportLogsServiceResponse | ExportMetricsServiceResponse
    if signal == "traces":
        response = ExportTraceServiceResponse()
        if rejected:
            response.partial_success.rejected_spans = rejected
    elif signal == "logs":
        response = ExportLogsServiceResponse()
        if rejected:
            response.partial_success.rejected_log_records = rejected
    else:
        response = ExportMetricsServiceResponse()
        if rejected:
            response.partial_success.rejected_data_points = rejected
    if rejected:
        response.partial_success.error_message = reason
    if is_json(content_type):
        return MessageToJson(response, indent=None).encode(), JSON
    return response.SerializeToString(), PROTOBUF


def encode_status(content_type: str, code: int, message: str) -> tuple[bytes, str]:
    """Write a `google.rpc.Status` in the request's encoding; JSON where that is unknown."""
    try:
        as_json = is_json(content_type)
    except MediaTypeError:
        as_json = True
    return (rpc_status(code, message, as_json=as_json), JSON if as_json else PROTOBUF)
