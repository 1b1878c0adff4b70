"""What is counted of spans once they are stored: light enough to travel between processes."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from watchkeeper.model import Cost, Span, SpanKind, Status, Usage
from watchkeeper.store.doubles import duplicates_of, may_hold

__all__ = ["Figures", "figures_of"]


class Figures(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What is counted of a span once it is stored; fields as in `model.Span`. A call's double is no call here: `span`."""

    project: str
    trace_id: str
    span_id: str
    service: str
    kind: SpanKind
    status: Status
    operation: str | None
    provider: str | None
    model: str | None
    duration_ns: int
    time_to_first_token_ns: int | None
    usage: Usage
    cost: Cost | None
    dialects: tuple[str, ...]
    received_at: int


def figures_of(spans: Sequence[Span]) -> list[Figures]:
    """Return what is counted of each span; of a call that two of them tell, one."""
    doubles = _doubles(spans)
    return [
        Figures(
            one.project, one.trace_id, one.span_id, one.service,
            "span" if (one.trace_id, one.span_id) in doubles else one.kind, one.status, one.operation, one.provider,
            one.model, one.duration_ns, one.time_to_first_token_ns, one.usage, one.cost,
            one.dialects, one.received_at,
        )
        for one in spans
    ]  # fmt: skip


def _doubles(spans: Sequence[Span]) -> set[tuple[str, str]]:
    if not may_hold(spans):
        return set()
    traces: dict[str, list[Span]] = {}
    for span in spans:
        traces.setdefault(span.trace_id, []).append(span)
    return {(name, double) for name, some in traces.items() for double in duplicates_of(some)}
