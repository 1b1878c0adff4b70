"""The canonical span: one row a key (project, trace id, span id)."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

from watchkeeper.model.message import Content
from watchkeeper.model.raw import RawSpan
from watchkeeper.model.usage import Cost, Usage

__all__ = ["KINDS", "MODEL_KINDS", "Span", "SpanKind", "Status"]

SpanKind: TypeAlias = Literal[
    "llm", "embedding", "retriever", "reranker", "tool", "agent", "workflow", "guardrail", "evaluator", "span"
]
Status: TypeAlias = Literal["unset", "ok", "error"]

KINDS: tuple[SpanKind, ...] = (
    "llm", "embedding", "retriever", "reranker", "tool", "agent", "workflow", "guardrail", "evaluator", "span",
)  # fmt: skip
MODEL_KINDS: frozenset[SpanKind] = frozenset({"llm", "embedding", "reranker"})
"""Kinds that are a model call: counted as requests, and priced."""


class Span(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One span, read. Everything here but `project` and `received_at` is derived from `raw`.

    Times and durations are ns; ids lower-case hex; `parent_span_id` is None for a root.
    `model` is the response model where known, else the requested one. `cost` is None for kinds
    that are not model calls. `dialects` are those that gave a field; `mapper` is the mapper's version.
    Session, user, tags and release may be copied from the trace (`facts/` in the architecture). `duplicate_of` comes from the
    trace too: the id of the span that tells the same call and is counted in place of this one.
    """

    project: str
    trace_id: str
    span_id: str
    parent_span_id: str | None = None
    service: str = "unknown_service"
    environment: str | None = None
    release: str | None = None
    kind: SpanKind = "span"
    name: str = ""
    operation: str | None = None
    start_time: int = 0
    duration_ns: int = 0
    status: Status = "unset"
    status_message: str | None = None
    error_type: str | None = None
    session_id: str | None = None
    user_id: str | None = None
    tags: tuple[str, ...] = ()
    provider: str | None = None
    model: str | None = None
    request_model: str | None = None
    response_model: str | None = None
    response_id: str | None = None
    usage: Usage = Usage()
    cost: Cost | None = None
    time_to_first_token_ns: int | None = None
    streaming: bool | None = None
    finish_reasons: tuple[str, ...] = ()
    parameters: dict[str, Any] = {}
    input: Content | None = None
    output: Content | None = None
    tools: tuple[Any, ...] = ()
    tool_name: str | None = None
    agent_name: str | None = None
    prompt_name: str | None = None
    prompt_version: str | None = None
    endpoint_host: str | None = None
    region: str | None = None
    operator: str | None = None
    model_digest: str | None = None
    duplicate_of: str | None = None
    dialects: tuple[str, ...] = ()
    mapper: int = 0
    received_at: int = 0
    raw: RawSpan
