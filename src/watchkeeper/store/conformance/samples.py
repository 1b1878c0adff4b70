"""What the suite stores: small spans whose every field can be told, and a mapper that can be followed."""

from __future__ import annotations

from typing import Any

import msgspec

from watchkeeper.model import Content, Cost, Message, RawLog, RawSpan, Scope, Score, Span, TextPart, Usage
from watchkeeper.store.api import SpanStore, WriteBatch, WriteReceipt

__all__ = ["SECOND", "START", "Maker", "log_of", "refine", "score_of", "stored", "stored_logs", "stored_scores"]

SECOND = 1_000_000_000
START = 1_790_000_000 * SECOND
_WAIT = 30.0
_TEXT = ("session_id", "user_id", "release", "environment", "provider", "model", "error_type")


def refine(project: str, raw: RawSpan, received_at: int) -> Span:
    """Map a raw span in the plainest way: an attribute names the field it fills."""
    given = raw.attributes
    fields: dict[str, Any] = {name: given[name] for name in _TEXT if isinstance(given.get(name), str)}
    for name in ("kind", "status", "service"):
        if name in given:
            fields[name] = given[name]
    if isinstance(given.get("tags"), list):
        fields["tags"] = tuple(str(tag) for tag in given["tags"])  # type: ignore[union-attr]
    if isinstance(given.get("input"), str):
        message = Message(role="user", parts=(TextPart(text=str(given["input"])),))
        fields["input"] = Content(messages=(message,))
    if isinstance(given.get("output"), str):
        fields["output"] = Content(text=str(given["output"]))
    if isinstance(given.get("tokens"), int):
        fields["usage"] = Usage(input_tokens=given["tokens"], output_tokens=1)  # type: ignore[arg-type]
    if isinstance(given.get("cost"), int):
        nano = int(given["cost"])  # type: ignore[arg-type]
        fields["cost"] = Cost(
            state="computed", nano=nano, nano_usd=nano, source="table", version="1", detail={"i": nano}
        )
    return Span(
        project=project,
        trace_id=raw.trace_id,
        span_id=raw.span_id,
        parent_span_id=raw.parent_span_id or None,
        name=raw.name,
        start_time=raw.start_time,
        duration_ns=raw.end_time - raw.start_time,
        received_at=received_at,
        mapper=1,
        raw=raw,
        **fields,
    )


class Maker:
    """Makes spans of one project; numbers stand for ids, seconds after START for times."""

    def __init__(self, project: str = "default") -> None:
        self.project = project

    def span(
        self, trace: int, span: int, *, parent: int = 0, at: float = 0.0, takes: float = 1.0, **attributes: Any
    ) -> Span:  # fmt: skip
        """Make a span; what is not a number is an attribute, and `refine` maps some to fields; `scope` names its scope."""
        start = START + round(at * SECOND)
        raw = RawSpan(
            trace_id=f"{trace:032x}",
            span_id=f"{span:016x}",
            parent_span_id=f"{parent:016x}" if parent else "",
            name=f"span {span}",
            start_time=start,
            end_time=start + round(takes * SECOND),
            scope=Scope(name=str(attributes.pop("scope", ""))),
            attributes=attributes,
        )
        return refine(self.project, raw, START)


def log_of(span: Span, body: str, **attributes: Any) -> tuple[str, RawLog]:
    """Make a log record that names the span."""
    return span.project, RawLog(
        trace_id=span.trace_id, span_id=span.span_id, time=span.start_time, body=body, attributes=attributes
    )


def score_of(number: int, **fields: Any) -> Score:
    """Make a score."""
    made = Score(id=f"score-{number:04d}", name="quality", value=0.5, time=START + number)
    return msgspec.structs.replace(made, **fields)


def stored(store: SpanStore, *spans: Span) -> WriteReceipt:
    """Store spans in one batch and wait until they are durable."""
    return store.submit(WriteBatch(spans=spans)).result(_WAIT)


def stored_logs(store: SpanStore, *logs: tuple[str, RawLog]) -> WriteReceipt:
    """Store log records and wait until they are durable."""
    return store.submit(WriteBatch(logs=logs)).result(_WAIT)


def stored_scores(store: SpanStore, *scores: Score) -> WriteReceipt:
    """Store scores and wait until they are durable."""
    return store.submit(WriteBatch(scores=scores)).result(_WAIT)
