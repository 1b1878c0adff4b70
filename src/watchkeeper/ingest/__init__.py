"""Floor 3: OTLP bytes to canonical spans. Never writes."""

from __future__ import annotations

from watchkeeper.ingest.compression import decompress
from watchkeeper.ingest.decoded import DecodedLogs, DecodedTraces, scores_of
from watchkeeper.ingest.generic import service_of
from watchkeeper.ingest.helicone import decode_helicone
from watchkeeper.ingest.langfuse_batch import ScoreEvent, read_event, span_id_of, trace_id_of
from watchkeeper.ingest.mapper import MAPPER_VERSION, map_span
from watchkeeper.ingest.media import encode_partial, encode_status
from watchkeeper.ingest.notes import Note, notes_of
from watchkeeper.ingest.otlp import (
    count_metrics,
    decode_logs,
    decode_logs_message,
    decode_traces,
    decode_traces_message,
)

__all__ = [
    "MAPPER_VERSION",
    "DecodedLogs",
    "DecodedTraces",
    "Note",
    "ScoreEvent",
    "count_metrics",
    "decode_helicone",
    "decode_logs",
    "decode_logs_message",
    "decode_traces",
    "decode_traces_message",
    "decompress",
    "encode_partial",
    "encode_status",
    "map_span",
    "notes_of",
    "read_event",
    "scores_of",
    "service_of",
    "span_id_of",
    "trace_id_of",
]
