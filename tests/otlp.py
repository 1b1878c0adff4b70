"""OTLP requests for tests, made with the real protobuf classes."""

from __future__ import annotations

import time
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList

TRACE, ROOT, CHILD = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", "00f067aa0ba902b7"
CHAT: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o-mini",
    "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
    "gen_ai.usage.input_tokens": 1000,
    "gen_ai.usage.output_tokens": 500,
    "gen_ai.usage.cache_read.input_tokens": 400,
    "gen_ai.response.time_to_first_chunk": 0.25,
    "gen_ai.response.finish_reasons": ["stop"],
    "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Weather in Bern?"}]}]',
    "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"Sunny."}],"finish_reason":"stop"}]',
}


def value(item: Any) -> AnyValue:  # noqa: PLR0911 - one line a type
    """Write a Python value as AnyValue."""
    if isinstance(item, bool):
        return AnyValue(bool_value=item)
    if isinstance(item, int):
        return AnyValue(int_value=item)
    if isinstance(item, float):
        return AnyValue(double_value=item)
    if isinstance(item, bytes):
        return AnyValue(bytes_value=item)
    if isinstance(item, list):
        return AnyValue(array_value=ArrayValue(values=[value(one) for one in item]))
    if isinstance(item, dict):
        return AnyValue(kvlist_value=KeyValueList(values=pairs(item)))
    return AnyValue() if item is None else AnyValue(string_value=item)


def pairs(items: dict[str, Any]) -> list[KeyValue]:
    """Write a dict as attributes."""
    return [KeyValue(key=key, value=value(item)) for key, item in items.items()]


def span(**fields: Any) -> dict[str, Any]:
    """Describe a span; every field can be given."""
    now = time.time_ns()
    return {
        "trace_id": TRACE, "span_id": ROOT, "parent": "", "name": "chat gpt-4o-mini", "start": now - 10**9, "end": now,
        "attributes": CHAT, "status": 0, **fields,
    }  # fmt: skip


def request(*spans: dict[str, Any], service: str = "support-bot") -> ExportTraceServiceRequest:
    """Put spans into one export."""
    message = ExportTraceServiceRequest()
    group = message.resource_spans.add()
    group.resource.attributes.extend(pairs({"service.name": service, "deployment.environment.name": "test"}))
    scope = group.scope_spans.add()
    scope.scope.name = "tests"
    for one in spans:
        made = scope.spans.add()
        made.trace_id, made.span_id = bytes.fromhex(one["trace_id"]), bytes.fromhex(one["span_id"])
        made.parent_span_id = bytes.fromhex(one["parent"])
        made.name = one["name"]
        made.start_time_unix_nano, made.end_time_unix_nano = one["start"], one["end"]
        made.status.code = one["status"]
        made.attributes.extend(pairs(one["attributes"]))
    return message


def log(event: str, attributes: dict[str, Any], body: Any = None, **ids: str) -> ExportLogsServiceRequest:
    """Put one log record into an export."""
    message = ExportLogsServiceRequest()
    record = message.resource_logs.add().scope_logs.add().log_records.add()
    record.trace_id = bytes.fromhex(ids.get("trace_id", TRACE))
    record.span_id = bytes.fromhex(ids.get("span_id", ROOT))
    record.event_name = event
    record.time_unix_nano = time.time_ns()
    record.attributes.extend(pairs(attributes))
    record.body.CopyFrom(value(body))
    return message
