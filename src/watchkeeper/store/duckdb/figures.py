"""Figures over model calls: totals, latency, by model and over time."""

from __future__ import annotations

from typing import Any

from watchkeeper.store.api import ModelRow, Overview, TimeBucket
from watchkeeper.store.duckdb import statements
from watchkeeper.store.duckdb.filters import Query
from watchkeeper.store.duckdb.reader import Reader
from watchkeeper.store.figures import histogram, step_of

__all__ = ["overview"]


def overview(reader: Reader, project: str, *, since: int, until: int, service: str | None, buckets: int) -> Overview:
    """Return figures over model calls that started in [since, until) ns."""
    step = step_of(since, until, buckets)

    def ask(statement: str, **more: int) -> list[tuple[Any, ...]]:
        query = Query(statement, **more).where("project = $project", project=project)
        query.where("start_ns >= $since AND start_ns < $until", since=since, until=until)
        if service is not None:
            query.where("service = $service", service=service)
        return reader.fetch(query)

    requests, errors, unpriced, tokens_in, tokens_out, cost, percentiles, latency = ask(statements.TOTALS)[0]
    p50, p95, p99 = _rounded(percentiles)
    over_time = {row[0]: row[1:] for row in ask(statements.OVER_TIME, step=step)}
    return Overview(
        traces=ask(statements.COUNT_TRACES)[0][0],
        requests=requests, errors=errors, unpriced=unpriced, input_tokens=tokens_in, output_tokens=tokens_out,
        cost_nano_usd=cost, p50_ns=p50, p95_ns=p95, p99_ns=p99,
        latency=histogram(latency, requests),
        models=tuple(_model(row) for row in ask(statements.BY_MODEL)),
        buckets=tuple(
            _bucket(since + number * step, over_time.get(number)) for number in range(-(-(until - since) // step))
        ),
        step_ns=step,
    )  # fmt: skip


def _rounded(percentiles: list[float] | None) -> tuple[int | None, int | None, int | None]:
    if percentiles is None:
        return None, None, None
    p50, p95, p99 = (round(value) for value in percentiles)
    return p50, p95, p99


def _model(row: tuple[Any, ...]) -> ModelRow:
    provider, model, requests, errors, unpriced, tokens_in, tokens_out, cost, percentiles = row
    p50, p95, p99 = (round(value) for value in percentiles)
    return ModelRow(
        provider=provider, model=model, requests=requests, errors=errors, unpriced=unpriced, input_tokens=tokens_in,
        output_tokens=tokens_out, cost_nano_usd=cost, p50_ns=p50, p95_ns=p95, p99_ns=p99,
    )  # fmt: skip


def _bucket(start: int, row: tuple[Any, ...] | None) -> TimeBucket:
    if row is None:
        return TimeBucket(
            start=start, requests=0, errors=0, input_tokens=0, output_tokens=0, cost_nano_usd=0, p50_ns=None,
            p95_ns=None,
        )  # fmt: skip
    requests, errors, _, tokens_in, tokens_out, cost, percentiles = row
    p50, p95, _ = _rounded(percentiles)
    return TimeBucket(
        start=start, requests=requests, errors=errors, input_tokens=tokens_in, output_tokens=tokens_out,
        cost_nano_usd=cost or 0, p50_ns=p50, p95_ns=p95,
    )  # fmt: skip
