"""The shapes of what tools answer. Money is US dollars, durations are seconds, times RFC 3339 in UTC."""

from __future__ import annotations

from typing import Annotated, Any

from mcp.types import CallToolResult, TextContent
from pydantic import BaseModel, Field

from watchkeeper.mcp.text import NOTICE

__all__ = [
    "Answer", "CostRow", "Costs", "Message", "ModelRow", "Overview", "Piece", "Rows", "Score", "Scores", "Span",
    "SpanShown", "Spans", "Step", "Trace", "TraceShown", "Traces", "seconds", "told", "usd",
]  # fmt: skip

Dollars = Annotated[float | None, Field(description="US dollars; absent where there is no price, which is not zero")]


class Answer(BaseModel):
    """Base of every answer."""

    notice: Annotated[str, Field(description="What the rest of this answer is")] = NOTICE
    more: Annotated[str | None, Field(description="What was left out here, and how to get it")] = None


class Trace(BaseModel):
    """A trace in a list; tokens and cost are sums over its model calls; `input` and `output` are one line each."""

    trace_id: str
    name: str
    service: str
    environment: str | None = None
    session: str | None = None
    user: str | None = None
    tags: list[str] | None = None
    start_time: str
    seconds: float
    status: str
    spans: int
    model_calls: int
    failed_spans: int
    unpriced_calls: int
    models: list[str]
    input_tokens: int
    output_tokens: int
    cost_usd: Dollars = None
    input: str | None = None
    output: str | None = None


class Traces(Answer):
    """Traces, newest first."""

    traces: list[Trace]
    next_cursor: str | None = None


class Span(BaseModel):
    """A span in a list or a tree; `input` and `output` are one line each."""

    span_id: str
    parent_span_id: str | None = None
    trace_id: str | None = None
    depth: Annotated[int | None, Field(description="0 for a root; children follow their parent, by time")] = None
    kind: str
    name: str
    service: str | None = None
    start_time: str
    seconds: float
    status: str
    error: str | None = None
    provider: str | None = None
    model: str | None = None
    tool: str | None = None
    agent: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: Dollars = None
    time_to_first_token_seconds: float | None = None
    counted_as: Annotated[
        str | None, Field(description="The span that tells the same call: that one is counted, this one is not")
    ] = None
    input: str | None = None
    output: str | None = None


class Spans(Answer):
    """Spans, newest first."""

    spans: list[Span]
    next_cursor: str | None = None


class Message(BaseModel):
    """One turn of a conversation, its parts as text; tool calls as `[tool call] name(arguments)`."""

    role: str
    text: str


class Step(BaseModel):
    """What one span was given and gave; messages that an earlier step of this answer shows are counted, not repeated."""

    span_id: str
    name: str
    model: str | None = None
    repeated_messages: int = 0
    input: list[Message] = []
    output: list[Message] = []


class Score(BaseModel):
    """A judgement about a trace, span or session."""

    name: str
    value: float | None = None
    label: str | None = None
    source: str
    trace_id: str | None = None
    span_id: str | None = None
    session: str | None = None
    evaluator: str | None = None
    comment: str | None = None
    time: str


class Scores(Answer):
    """Scores, newest first."""

    scores: list[Score]
    next_cursor: str | None = None


class TraceShown(Answer):
    """One trace: its sums, the tree of its spans in order, the conversations, and its scores."""

    trace: Trace
    tree: list[Span]
    conversation: list[Step]
    scores: list[Score]


class SpanShown(Answer):
    """One span: what it is, what it used and cost, what went in and out, and the names of its raw attributes."""

    span: Span
    session: str | None = None
    user: str | None = None
    tags: list[str] | None = None
    usage: Annotated[dict[str, int], Field(description="Tokens; input and output are totals that include the rest")]
    cost: Annotated[dict[str, Any], Field(description="State, US dollars, the price's source and date, or why none")]
    parameters: Annotated[str | None, Field(description="As JSON")] = None
    finish_reasons: list[str]
    input: list[Message]
    output: list[Message]
    tools_offered: list[str]
    attributes: Annotated[list[str], Field(description="Names of what arrived; read_content with `raw` shows them")]


class Piece(Answer):
    """A piece of a long text."""

    text: str
    offset: int
    total_characters: int
    next_offset: int | None = None


class ModelRow(BaseModel):
    """Model calls of one provider and model."""

    provider: str | None = None
    model: str | None = None
    calls: int
    failed: int
    unpriced: int
    input_tokens: int
    output_tokens: int
    cost_usd: Dollars = None
    p50_seconds: float
    p95_seconds: float
    p99_seconds: float


class Overview(Answer):
    """Figures over the model calls of a window, and what there is to filter by."""

    since: str
    until: str
    traces: int
    calls: int
    failed: int
    unpriced: int
    input_tokens: int
    output_tokens: int
    cost_usd: Dollars = None
    p50_seconds: float | None = None
    p95_seconds: float | None = None
    models: list[ModelRow]
    services: list[str]
    environments: list[str]
    users: list[str]


class CostRow(BaseModel):
    """Model calls of one group; `key` is the group's value, absent where the spans do not say."""

    key: str | None = None
    calls: int
    failed: int
    unpriced: int
    input_tokens: int
    output_tokens: int
    cost_usd: Dollars = None


class Costs(Answer):
    """Costs by group, the dearest first; by time, the earliest first."""

    by: str
    since: str
    until: str | None = None
    rows: list[CostRow]
    total: CostRow


class Rows(Answer):
    """The rows of a SELECT."""

    columns: list[str]
    rows: list[list[Any]]
    truncated: bool


def told(answer: Answer) -> CallToolResult:
    """Return it as the SDK sends it: structured, and as text for clients that read only that."""
    return CallToolResult(
        content=[TextContent(type="text", text=answer.model_dump_json(exclude_none=True))],
        structured_content=answer.model_dump(mode="json", exclude_none=True),
    )


def usd(nano: str | int | None) -> float | None:
    """Return billionths of a dollar as dollars."""
    return None if nano is None else int(nano) / 1e9


def seconds(nanoseconds: str | int | None) -> float | None:
    """Return nanoseconds as seconds, to the millisecond."""
    return None if nanoseconds is None else round(int(nanoseconds) / 1e9, 3)
