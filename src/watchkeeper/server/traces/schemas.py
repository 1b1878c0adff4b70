"""What the trace endpoints answer."""

from __future__ import annotations

from typing import Any

from watchkeeper.server.schemas import Big, Model, MoneyOut, SpanOut, Time, TraceOut
from watchkeeper.server.scores.schemas import ScoreOut

__all__ = ["SpanDetail", "SpanPage", "TraceDetail", "TracePage"]


class TracePage(Model):
    """Newest first."""

    items: list[TraceOut]
    next_cursor: str | None


class SpanPage(Model):
    """Newest first."""

    items: list[SpanOut]
    next_cursor: str | None


class TraceDetail(Model):
    """One trace with its spans, oldest first; `truncated` when there are more than are shown."""

    trace: TraceOut
    spans: list[SpanOut]
    truncated: bool
    scores: list[ScoreOut]


class UsageOut(Model):
    """Token counts; totals are inclusive, the buckets stand inside them."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    input_audio_tokens: int | None = None
    output_audio_tokens: int | None = None
    input_image_tokens: int | None = None


class CostOut(Model):
    """What a call cost in nano-units, with the price's source and date, and how sure a computed cost is.

    `shown` is the amount in the currency that is shown, by the rate of the call's day.
    """

    state: str
    nano: Big | None = None
    currency: str = "USD"
    nano_usd: Big | None = None
    source: str | None = None
    version: str | None = None
    detail: dict[str, Big] = {}
    reason: str | None = None
    confidence: str | None = None
    shown: MoneyOut | None = None


class MessageOut(Model):
    """One turn; each part carries its `type`: text, reasoning, tool_call, tool_result, media, other."""

    role: str
    parts: list[dict[str, Any]] = []
    name: str | None = None
    finish_reason: str | None = None


class DocumentOut(Model):
    """A retrieved document."""

    id: str | None = None
    content: str | None = None
    score: float | None = None
    metadata: dict[str, Any] | None = None


class ContentOut(Model):
    """A conversation, documents, or a plain value."""

    messages: list[MessageOut] = []
    documents: list[DocumentOut] = []
    text: str | None = None
    mime_type: str | None = None


class NoteOut(Model):
    """Something odd about a span: a stable code, and what was found and done in a sentence."""

    code: str
    text: str


class SpanDetail(Model):
    """One span whole, with what arrived, verbatim, under `raw`; `masked` is how many values of each kind were masked.

    `notes` say what was odd about it as it came.
    """

    project: str
    trace_id: str
    span_id: str
    parent_span_id: str | None
    service: str
    environment: str | None
    release: str | None
    kind: str
    name: str
    operation: str | None
    start_time: Time
    duration_ns: Big
    status: str
    status_message: str | None
    error_type: str | None
    session_id: str | None
    user_id: str | None
    tags: list[str]
    provider: str | None
    model: str | None
    request_model: str | None
    response_model: str | None
    response_id: str | None
    usage: UsageOut
    cost: CostOut | None
    time_to_first_token_ns: Big | None
    streaming: bool | None
    finish_reasons: list[str]
    parameters: dict[str, Any]
    input: ContentOut | None
    output: ContentOut | None
    tools: list[Any]
    tool_name: str | None
    agent_name: str | None
    prompt_name: str | None
    prompt_version: str | None
    endpoint_host: str | None
    region: str | None
    operator: str | None
    model_digest: str | None
    duplicate_of: str | None
    dialects: list[str]
    mapper: int
    received_at: Time
    masked: dict[str, int] = {}
    notes: list[NoteOut] = []
    raw: dict[str, Any]
