"""What real clients sent, recorded by `tests.clients.record`, and the same in OTLP's other encoding."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from watchkeeper.ingest import decode_helicone, decode_logs, decode_traces, map_span, read_event
from watchkeeper.model import RawLog, RawSpan, Span, merge_raw

PROTOBUF, JSON = "application/x-protobuf", "application/json"
FOLDER = Path(__file__).parent / "fixtures"
CLIENTS = ("phoenix", "genai", "genai_events")


def body(client: str, signal: str = "traces") -> bytes:
    """Return what a client sent of a signal."""
    return (FOLDER / f"{client}.{signal}.pb").read_bytes()


def raws(client: str) -> tuple[RawSpan, ...]:
    """Return a client's spans with their log records joined, as the store joins them."""
    if not (FOLDER / f"{client}.traces.pb").exists():
        return helicone(client) or batched(client)
    spans = decode_traces(body(client), PROTOBUF).spans
    logs: tuple[RawLog, ...] = ()
    if (FOLDER / f"{client}.logs.pb").exists():
        logs = decode_logs(body(client, "logs"), PROTOBUF).logs
    return tuple(
        RawSpan(**{**fields(one), "logs": tuple(log for log in logs if log.span_id == one.span_id)}) for one in spans
    )


def helicone(client: str) -> tuple[RawSpan, ...]:
    """Return the spans of a client's Helicone logs."""
    calls = json.loads((FOLDER / f"{client}.calls.json").read_text())
    logs = [one for one in calls if one["path"].endswith("/v1/log")]
    return tuple(
        raw
        for one in logs
        for raw in decode_helicone(
            json.dumps(one["body"]).encode(),
            one["path"].split("/")[1],
            {name.lower(): value for name, value in one["headers"].items()},
        ).spans
    )


def batched(client: str) -> tuple[RawSpan, ...]:
    """Return the spans of a client's ingestion batches, the changes of each joined to it as the store joins them."""
    calls = json.loads((FOLDER / f"{client}.calls.json").read_text())
    found: dict[str, RawSpan] = {}
    for event in (event for one in calls if one["path"].endswith("/ingestion") for event in one["body"]["batch"]):
        raw = read_event(event)[1]
        if isinstance(raw, RawSpan):
            found[raw.span_id] = merge_raw(found[raw.span_id], raw) if raw.span_id in found else raw
    return tuple(found.values())


def spans(client: str) -> list[Span]:
    """Return a client's spans, mapped, oldest first."""
    return sorted((map_span("p", raw, 7) for raw in raws(client)), key=lambda one: one.start_time)


def fields(raw: RawSpan) -> dict[str, Any]:
    """Return a span's fields by name."""
    return {name: getattr(raw, name) for name in raw.__struct_fields__}


def as_json(protobuf: bytes, *, snake: bool = False, base64_ids: bool = False) -> bytes:
    """Write a protobuf trace request as OTLP/JSON: hex ids unless told otherwise."""
    tree = MessageToDict(ExportTraceServiceRequest.FromString(protobuf), preserving_proto_field_name=snake)
    return json.dumps(tree if base64_ids else _hex(tree)).encode()


def _hex(tree: Any) -> Any:
    if isinstance(tree, list):
        return [_hex(one) for one in tree]
    if not isinstance(tree, dict):
        return tree
    ids = {"traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id"}
    return {key: base64.b64decode(one).hex() if key in ids else _hex(one) for key, one in tree.items()}
