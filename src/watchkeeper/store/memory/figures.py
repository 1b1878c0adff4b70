"""Figures over model calls, counted one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from watchkeeper.model import MODEL_KINDS, Span
from watchkeeper.store.api import HourRow, ModelRow, Overview, TimeBucket
from watchkeeper.store.figures import LATENCY_BOUNDS, dearest, histogram, percentile, step_of

__all__ = ["hours", "overview"]

_HOUR = 3_600 * 1_000_000_000


def overview(spans: Sequence[Span], *, since: int, until: int, buckets: int) -> Overview:
    """Return figures over the model calls among these spans of [since, until) ns."""
    step = step_of(since, until, buckets)
    calls = [span for span in spans if span.kind in MODEL_KINDS and span.duplicate_of is None]
    by_model: dict[tuple[str | None, str | None], list[Span]] = {}
    by_time: dict[int, list[Span]] = {}
    for call in calls:
        by_model.setdefault((call.provider, call.model), []).append(call)
        by_time.setdefault((call.start_time - since) // step, []).append(call)
    models = [ModelRow(provider=key[0], model=key[1], **_sums(of_model)) for key, of_model in by_model.items()]
    models.sort(key=dearest)
    return Overview(
        traces=len({span.trace_id for span in spans}),
        **_sums(calls),
        latency=histogram([sum(call.duration_ns <= bound for call in calls) for bound in LATENCY_BOUNDS], len(calls)),
        models=tuple(models),
        buckets=tuple(
            _bucket(since + number * step, by_time.get(number, [])) for number in range(-(-(until - since) // step))
        ),
        step_ns=step,
    )


def _sums(calls: Sequence[Span]) -> dict[str, Any]:
    ordered = sorted(call.duration_ns for call in calls)
    costs = [call.cost.nano_usd for call in calls if call.cost is not None and call.cost.nano_usd is not None]
    return {
        "requests": len(calls),
        "errors": sum(call.status == "error" for call in calls),
        "unpriced": len(calls) - len(costs),
        "input_tokens": sum(call.usage.input_tokens or 0 for call in calls),
        "output_tokens": sum(call.usage.output_tokens or 0 for call in calls),
        "cost_nano_usd": sum(costs) if costs else None,
        "p50_ns": percentile(ordered, 0.5),
        "p95_ns": percentile(ordered, 0.95),
        "p99_ns": percentile(ordered, 0.99),
    }


def _bucket(start: int, calls: Sequence[Span]) -> TimeBucket:
    sums = _sums(calls)
    kept = {name: sums[name] for name in ("requests", "errors", "input_tokens", "output_tokens", "p50_ns", "p95_ns")}
    return TimeBucket(start=start, cost_nano_usd=sums["cost_nano_usd"] or 0, **kept)


def hours(spans: Sequence[Span], *, since: int, until: int, source: str) -> tuple[HourRow, ...]:
    """Return what the model calls among these spans cost by hour, price source, currency and project."""
    groups: dict[tuple[int, str, str, str], list[Span]] = {}
    for span in spans:
        told = span.cost.source if span.cost is not None else None
        counted = span.kind in MODEL_KINDS and span.duplicate_of is None
        if counted and since <= span.start_time < until and told and told.startswith(source):
            key = span.start_time - span.start_time % _HOUR, told, span.cost.currency if span.cost else "", span.project
            groups.setdefault(key, []).append(span)
    return tuple(_hour(key, groups[key]) for key in sorted(groups))


def _hour(key: tuple[int, str, str, str], calls: list[Span]) -> HourRow:
    costs = [call.cost for call in calls if call.cost is not None]
    nano = [cost.nano for cost in costs if cost.nano is not None]
    nano_usd = [cost.nano_usd for cost in costs if cost.nano_usd is not None]
    return HourRow(
        project=key[3], start=key[0], source=key[1], currency=key[2], calls=len(calls), unpriced=len(calls) - len(nano),
        input_tokens=sum(call.usage.input_tokens or 0 for call in calls),
        output_tokens=sum(call.usage.output_tokens or 0 for call in calls),
        cost_nano=sum(nano) if nano else None, cost_nano_usd=sum(nano_usd) if nano_usd else None,
    )  # fmt: skip
