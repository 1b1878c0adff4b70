"""Figures over model calls: totals, latency, by model and over time; from pieces that are kept, or from the rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from watchkeeper.store.api import ModelRow, Overview, TimeBucket
from watchkeeper.store.duckdb import statements
from watchkeeper.store.duckdb.cells import COST, ERRORS, INPUT, OUTPUT, REQUESTS, UNPRICED, Block, Ints
from watchkeeper.store.duckdb.filters import Query
from watchkeeper.store.duckdb.reader import Reader
from watchkeeper.store.duckdb.rollup import Found, Rollup
from watchkeeper.store.figures import LATENCY_BOUNDS, dearest, histogram, percentile, step_of

__all__ = ["overview", "overview_of_rows"]

_SHARES = (0.5, 0.95, 0.99)
_SAFE = 2.0**62


def overview(
    reader: Reader, rollup: Rollup, project: str, *, since: int, until: int, service: str | None, buckets: int
) -> Overview:
    """Return figures over model calls that started in [since, until) ns."""
    step = step_of(since, until, buckets)
    found = rollup.find(project, since=since, until=until, step=step)
    if found is None or np.abs(found.cells.sums.astype(np.float64)).sum(axis=0).max(initial=0.0) > _SAFE:
        return overview_of_rows(reader, project, since=since, until=until, service=service, buckets=buckets)
    traces = reader.fetch(_within(statements.COUNT_TRACES, project, since, until, service))[0][0]
    return _of_cells(found, service, since, until, step, traces)


def _of_cells(found: Found, service: str | None, since: int, until: int, step: int, traces: int) -> Overview:
    cells, buckets = (found.cells, found.buckets) if service is None else _only(found, service)
    models = list(dict.fromkeys(name[1:] for name in found.names))
    number = {name: at for at, name in enumerate(models)}
    of_model = np.array([number[name[1:]] for name in found.names], dtype=np.int64)[cells.codes]
    (whole,) = _grouped(cells, np.zeros(len(buckets), dtype=np.int64), 1)
    by_model = zip(models, _grouped(cells, of_model, len(models)), strict=True)
    rows = [ModelRow(provider=name[0], model=name[1], **row) for name, row in by_model if row["requests"]]
    over_time = _grouped(cells, buckets, -(-(until - since) // step))
    latency = cells.latency.sum(axis=0, dtype=np.int64).cumsum()[: len(LATENCY_BOUNDS)].tolist()
    return Overview(
        traces=traces, **whole, latency=histogram(latency, whole["requests"]),
        models=tuple(sorted(rows, key=dearest)),
        buckets=tuple(_piece(since + at * step, row) for at, row in enumerate(over_time)), step_ns=step,
    )  # fmt: skip


def _only(found: Found, service: str) -> tuple[Block, Ints]:
    wanted = np.array([name[0] == service for name in found.names], dtype=np.bool_)
    cells = found.cells
    keep = wanted[cells.codes]
    durations = cells.durations[np.repeat(keep, cells.sums[:, REQUESTS])]
    return Block(cells.codes[keep], cells.sums[keep], cells.latency[keep], durations), found.buckets[keep]


def _grouped(cells: Block, groups: Ints, count: int) -> list[dict[str, Any]]:
    """Sum cells by group, and take the percentiles of each group's durations."""
    sums = np.zeros((count, cells.sums.shape[1]), dtype=np.int64)
    np.add.at(sums, groups, cells.sums)
    durations = cells.durations
    if np.any(groups[1:] < groups[:-1]):
        durations = durations[_places(cells.sums[:, REQUESTS], np.argsort(groups, kind="stable"))]
    ends = sums[:, REQUESTS].cumsum().tolist()
    parts = zip(sums.tolist(), [0, *ends][:-1], ends, strict=True)
    return [_figures(row, durations[begin:end]) for row, begin, end in parts]


def _places(lengths: Ints, order: Ints) -> Ints:
    """Return the places of the rows of runs that are put in another order."""
    begins = (lengths.cumsum() - lengths)[order]
    moved = lengths[order]
    shifts: Ints = np.repeat(begins - (moved.cumsum() - moved), moved)
    return shifts + np.arange(len(shifts), dtype=np.int64)


def _figures(row: list[int], durations: Ints) -> dict[str, Any]:
    p50, p95, p99 = _percentiles(durations)
    return {
        "requests": row[REQUESTS], "errors": row[ERRORS], "unpriced": row[UNPRICED], "input_tokens": row[INPUT],
        "output_tokens": row[OUTPUT], "cost_nano_usd": row[COST] if row[UNPRICED] < row[REQUESTS] else None,
        "p50_ns": p50, "p95_ns": p95, "p99_ns": p99,
    }  # fmt: skip


def _percentiles(values: Ints) -> list[int | None]:
    """Return the exact percentiles of values in any order."""
    if len(values) == 0:
        return [None] * len(_SHARES)
    last = len(values) - 1
    ranks = {min(int(share * last) + more, last) for share in _SHARES for more in (0, 1)}
    placed = np.partition(values, sorted(ranks))
    return [percentile(placed, share) for share in _SHARES]


def _piece(start: int, row: dict[str, Any]) -> TimeBucket:
    return TimeBucket(
        start=start, requests=row["requests"], errors=row["errors"], input_tokens=row["input_tokens"],
        output_tokens=row["output_tokens"], cost_nano_usd=row["cost_nano_usd"] or 0, p50_ns=row["p50_ns"],
        p95_ns=row["p95_ns"],
    )  # fmt: skip


def _within(statement: str, project: str, since: int, until: int, service: str | None, **more: int) -> Query:
    query = Query(statement, **more).where("project = $project", project=project)
    query.where("start_ns >= $since AND start_ns < $until", since=since, until=until)
    return query if service is None else query.where("service = $service", service=service)


def overview_of_rows(
    reader: Reader, project: str, *, since: int, until: int, service: str | None, buckets: int
) -> Overview:
    """Return the same, all of it worked out from the rows."""
    step = step_of(since, until, buckets)

    def ask(statement: str, **more: int) -> list[tuple[Any, ...]]:
        return reader.fetch(_within(statement, project, since, until, service, **more))

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
