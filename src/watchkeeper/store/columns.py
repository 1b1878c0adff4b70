"""The columns of `spans` and `scores` that users may name in SQL; documented in `docs/reference/sql.md`."""

from __future__ import annotations

__all__ = ["SCORE_COLUMNS", "SPAN_COLUMNS"]

SPAN_COLUMNS: tuple[str, ...] = (
    "trace_id", "span_id", "parent_span_id", "project", "service", "environment", "release", "kind", "name",
    "operation", "start_time", "duration_ns", "status", "status_message", "error_type", "session_id", "user_id",
    "tags", "provider", "model", "request_model", "response_model", "input_tokens", "output_tokens",
    "cache_read_tokens", "cache_write_tokens", "reasoning_tokens", "cost_nano", "currency", "cost_nano_usd",
    "cost_state", "price_source", "price_version", "cost_detail", "cost_reason", "time_to_first_token_ns", "finish_reasons",
    "prompt_name", "prompt_version", "endpoint_host", "duplicate_of", "input", "output", "attributes", "resource",
)  # fmt: skip

SCORE_COLUMNS: tuple[str, ...] = (
    "id", "project", "trace_id", "span_id", "session_id", "name", "value", "label", "source", "evaluator",
    "evaluator_version", "comment", "time",
)  # fmt: skip
