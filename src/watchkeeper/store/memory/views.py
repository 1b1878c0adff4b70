"""Spans as rows and traces, and whether they match a filter: the law in plain Python."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from watchkeeper.model import (
    MODEL_KINDS,
    Content,
    RawLog,
    RawSpan,
    ReasoningPart,
    Span,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    masked_of,
    preview,
)
from watchkeeper.store import codec
from watchkeeper.store.api import SessionFilter, SessionRow, SpanFilter, SpanRow, TraceFilter, TraceRow

__all__ = ["matches_span", "matches_trace", "same", "sessions", "span_row", "trace_row"]

_SPAN_EQUALS = ("trace_id", "service", "environment", "kind", "model", "status", "user_id", "session_id")
_TRACE_EQUALS = ("service", "environment", "model", "user_id", "session_id")


def same(one: RawSpan | RawLog, other: RawSpan | RawLog) -> bool:
    """Say whether two receipts hold the same, types included: 1, 1.0 and True differ, NaN is itself."""
    return _text(one) == _text(other)


def _text(value: RawSpan | RawLog) -> tuple[str, ...]:
    if isinstance(value, RawLog):
        return (codec.encode_log(value),)
    attributes, resource = codec.encode_attributes(value.attributes), codec.encode_attributes(value.resource)
    return attributes, resource, codec.encode_raw_rest(value)


def matches_span(span: Span, where: SpanFilter) -> bool:
    """Say whether every given field holds."""
    return (
        all(getattr(where, name) in {None, getattr(span, name)} for name in _SPAN_EQUALS)
        and (where.since is None or span.start_time >= where.since)
        and (where.until is None or span.start_time < where.until)
        and (where.mapper_before is None or span.mapper < where.mapper_before)
        and (not where.text or _has_text(span, where.text))
    )


def matches_trace(spans: Sequence[Span], start: int, where: TraceFilter) -> bool:
    """Say whether the trace, which starts at `start`, has for each given field a span that holds it."""
    if where.since is not None and start < where.since:
        return False
    if where.until is not None and start >= where.until:
        return False
    if where.status is not None and (_entry(spans).status == "error") != (where.status == "error"):
        return False
    for name in _TRACE_EQUALS:
        wanted = getattr(where, name)
        if wanted is not None and not any(getattr(span, name) == wanted for span in spans):
            return False
    return not where.text or any(_has_text(span, where.text) for span in spans)


def span_row(span: Span) -> SpanRow:
    """Return the span as a list row."""
    taken = {name: getattr(span, name) for name in SpanRow.__struct_fields__ if hasattr(span, name)}
    taken |= {
        "input_tokens": span.usage.input_tokens,
        "output_tokens": span.usage.output_tokens,
        "cost_state": span.cost.state if span.cost is not None else None,
        "cost_nano_usd": span.cost.nano_usd if span.cost is not None else None,
        "input": preview(span.input),
        "output": preview(span.output),
    }
    return SpanRow(**taken)


def trace_row(spans: Sequence[Span]) -> TraceRow:
    """Return the summary of a trace from all its spans."""
    entry = _entry(spans)
    calls = [span for span in spans if span.kind in MODEL_KINDS and span.duplicate_of is None]
    costs = [span.cost.nano_usd for span in calls if span.cost is not None and span.cost.nano_usd is not None]
    start = min(span.start_time for span in spans)
    return TraceRow(
        trace_id=entry.trace_id,
        name=entry.name,
        service=entry.service,
        environment=entry.environment,
        session_id=entry.session_id,
        user_id=entry.user_id,
        tags=entry.tags,
        start_time=start,
        duration_ns=max(span.start_time + span.duration_ns for span in spans) - start,
        status="error" if entry.status == "error" else "ok",
        spans=len(spans),
        calls=len(calls),
        errors=sum(span.status == "error" for span in spans),
        unpriced=len(calls) - len(costs),
        models=tuple(sorted({span.model for span in calls if span.model is not None})),
        input_tokens=sum(span.usage.input_tokens or 0 for span in calls),
        output_tokens=sum(span.usage.output_tokens or 0 for span in calls),
        cost_nano_usd=sum(costs) if costs else None,
        masked=sum(sum(masked_of(span.raw.attributes).values()) for span in spans),
        input=next((text for span in sorted(spans, key=_entry_order) if (text := preview(span.input))), ""),
        output=preview(entry.output) or _last_output(calls),
    )


def sessions(spans: Sequence[Span], where: SessionFilter) -> list[SessionRow]:
    """Return the sessions among these spans, the newest first."""
    found: dict[str, list[Span]] = {}
    for span in sorted(spans, key=lambda one: (one.start_time, one.trace_id, one.span_id)):
        if span.session_id is not None:
            found.setdefault(span.session_id, []).append(span)
    rows = [
        SessionRow(
            session_id=name, start=some[0].start_time,
            environment=next((span.environment for span in some if span.environment is not None), None),
        )
        for name, some in found.items()
    ]  # fmt: skip
    kept = [
        row
        for row in rows
        if (where.since is None or row.start >= where.since)
        and (where.until is None or row.start < where.until)
        and (not where.environments or row.environment in where.environments)
    ]
    return sorted(kept, key=lambda row: (-row.start, row.session_id.encode()))


def _entry(spans: Sequence[Span]) -> Span:
    return min(spans, key=_entry_order)


def _entry_order(span: Span) -> tuple[bool, int, str]:
    return (span.parent_span_id is not None, span.start_time, span.span_id)


def _last_output(calls: Sequence[Span]) -> str:
    latest = sorted(calls, key=lambda span: (span.start_time, span.span_id), reverse=True)
    return next((text for span in latest if (text := preview(span.output))), "")


def _has_text(span: Span, text: str) -> bool:
    needle = text.lower()
    return any(needle in piece.lower() for piece in (span.name, *_texts(span.input), *_texts(span.output)))


def _texts(content: Content | None) -> Iterator[str]:
    if content is None:
        return
    yield content.text or ""
    for message in content.messages:
        for part in message.parts:
            if isinstance(part, TextPart | ReasoningPart):
                yield part.text
            elif isinstance(part, ToolCallPart):
                yield part.name
                yield _plain(part.arguments)
            elif isinstance(part, ToolResultPart):
                yield _plain(part.result)
    for document in content.documents:
        yield document.content or ""
        yield document.id or ""


def _plain(value: object) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else msgspec.json.encode(value).decode()
