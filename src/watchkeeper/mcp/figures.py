"""Tools over costs, scores, the overview, and SQL."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from mcp.types import CallToolResult
from pydantic import Field

from watchkeeper.mcp import shape
from watchkeeper.mcp.asking import Api, Reach, Told
from watchkeeper.mcp.results import CostRow, Costs, ModelRow, Overview, Rows, Scores, seconds, told, usd
from watchkeeper.mcp.text import clean, clipped, compact, fitting
from watchkeeper.mcp.times import moment
from watchkeeper.mcp.traces import BUDGET, Cursor, Exact, Limit, Since, SpanId, TraceId, Until

__all__ = ["SCORES", "SPANS", "FigureTools"]

SPANS = (
    "trace_id, span_id, parent_span_id, project, service, environment, release, kind, name, operation, start_time, "
    "duration_ns, status, status_message, error_type, session_id, user_id, tags, provider, model, request_model, "
    "response_model, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens, cost_nano, "
    "currency, cost_nano_usd, cost_state, price_source, price_version, cost_detail, cost_reason, time_to_first_token_ns, "
    "finish_reasons, prompt_name, prompt_version, endpoint_host, duplicate_of, input, output, attributes, resource"
)
SCORES = "id, project, trace_id, span_id, session_id, name, value, label, source, evaluator, evaluator_version, comment, time"

_CALLS = "kind in ('llm', 'embedding', 'reranker') and duplicate_of is null"
_GROUPS = {
    "model": "model", "provider": "provider", "service": "service", "environment": "environment", "user": "user_id",
    "session": "session_id", "prompt": "prompt_name",
    "hour": "date_trunc('hour', start_time)", "day": "date_trunc('day', start_time)",
}  # fmt: skip
_FIGURES = (
    "count(*) as calls, count(*) filter (where status = 'error') as failed, "
    "count(*) filter (where cost_nano_usd is null) as unpriced, coalesce(sum(input_tokens), 0) as input_tokens, "
    "coalesce(sum(output_tokens), 0) as output_tokens, sum(cost_nano_usd) as nano_usd"
)
_TIMES = frozenset({"hour", "day"})
_ROWS, _CELL, _NAMES = 200, 1_000, 100


class FigureTools:
    """The tools, on a way to the API."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    async def overview(
        self, ctx: Told, service: Exact = None, since: Since = None, until: Until = None
    ) -> Annotated[CallToolResult, Overview]:
        """Start here: model calls, failures, latency, tokens and cost by model over a window (the last 24 hours unless
        `since` says otherwise), and the services, environments and users there are to filter by.
        """  # noqa: D205 - a description that a model reads
        api = Api(self._reach(ctx))
        window = {"since": moment("since", since), "until": moment("until", until)}
        found = await api.get("/overview", service=service, buckets=1, **window)
        facets = await api.get("/facets", **window)
        models = fitting([_model(row) for row in found["models"]], BUDGET // 2)
        return told(
            Overview(
                more=None if len(models) == len(found["models"]) else "there are more models: costs by model",
                since=found["since"], until=found["until"], traces=found["traces"], calls=found["requests"],
                failed=found["errors"], unpriced=found["unpriced"], input_tokens=found["input_tokens"],
                output_tokens=found["output_tokens"], cost_usd=usd(found["cost_nano_usd"]),
                p50_seconds=seconds(found["p50_ns"]), p95_seconds=seconds(found["p95_ns"]), models=models,
                services=_names(facets["services"]), environments=_names(facets["environments"]),
                users=_names(facets["users"]),
            )
        )  # fmt: skip

    async def costs(
        self,
        ctx: Told,
        by: Annotated[
            Literal["model", "provider", "service", "environment", "user", "session", "prompt", "hour", "day"],
            Field(description="What to group model calls by"),
        ] = "model",
        service: Exact = None,
        model: Exact = None,
        user: Exact = None,
        since: Since = "7d",
        until: Until = None,
        limit: Limit = 50,
    ) -> Annotated[CallToolResult, Costs]:
        """What model calls cost, by model, service, user, time and so on, the dearest first (by hour or day: in order),
        with calls, failures and tokens, and the total. `unpriced` counts calls without a price: they are not free.
        """  # noqa: D205 - a description that a model reads
        start, end = moment("since", since or "7d"), moment("until", until)
        api, where = Api(self._reach(ctx)), _where(service, model, user, start, end)
        order = "key desc" if by in _TIMES else "nano_usd desc nulls last, calls desc, key"
        grouped = await api.sql(
            f"select {_GROUPS[by]} as key, {_FIGURES} from spans where {where} "  # noqa: S608 - fixed words and literals
            f"group by all order by {order}",
            limit,
        )
        total = await api.sql(f"select null as key, {_FIGURES} from spans where {where}", 1)  # noqa: S608 - the same
        rows = [_cost(row) for row in grouped["rows"]]
        left = None
        if grouped["truncated"]:
            left = f"the first {limit} groups only" if by not in _TIMES else f"the latest {limit} {by}s only"
        if by in _TIMES:
            rows.reverse()
        return told(Costs(more=left, by=by, since=start or "", until=end, rows=rows, total=_cost(total["rows"][0])))

    async def list_scores(
        self,
        ctx: Told,
        trace_id: TraceId | None = None,
        span_id: SpanId | None = None,
        name: Annotated[str | None, Field(max_length=500, description="The score's exact name")] = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Annotated[CallToolResult, Scores]:
        """List scores (judgements by code, models, guards and people about traces, spans and sessions), newest first."""
        page = await Api(self._reach(ctx)).get(
            "/scores", trace_id=trace_id, span_id=span_id, name=name, limit=limit, cursor=cursor
        )
        found = [shape.score(row) for row in page["items"]]
        kept = fitting(found, BUDGET)
        if len(kept) < len(found):
            return told(Scores(scores=kept, more="cut for length: ask for a smaller limit"))
        return told(Scores(scores=found, next_cursor=page["next_cursor"]))

    async def run_sql(
        self,
        ctx: Told,
        sql: Annotated[str, Field(min_length=1, max_length=20_000, description="One SELECT, DuckDB's dialect")],
        max_rows: Annotated[int, Field(ge=1, le=_ROWS)] = 50,
    ) -> Annotated[CallToolResult, Rows]:
        """Run one SELECT over this project's spans and scores, for questions that no other tool answers."""
        found = await Api(self._reach(ctx)).sql(sql, max_rows)
        rows = [[_cell(value) for value in row] for row in found["rows"]]
        kept = fitting(rows, BUDGET, lambda row: len(compact(row)))
        cut = len(kept) < len(found["rows"]) or found["truncated"]
        more = f"{len(kept)} rows are shown and there are more: aggregate, filter, or use LIMIT and OFFSET"
        return told(
            Rows(
                more=more if cut else None,
                columns=[clean(one[:200]) for one in found["columns"]],
                rows=kept,
                truncated=cut,
            )
        )


def _names(found: list[str]) -> list[str]:
    return [clean(one[:200]) for one in found[:_NAMES]]


def _where(service: str | None, model: str | None, user: str | None, start: str | None, end: str | None) -> str:
    told = [_CALLS]
    told += [
        f"{name} = {_literal(one)}" for name, one in (("service", service), ("model", model), ("user_id", user)) if one
    ]
    told += [f"start_time {sign} {_literal(one)}::timestamp" for sign, one in ((">=", start), ("<", end)) if one]
    return " and ".join(told)


def _literal(text: str) -> str:
    """Quote it as SQL does. Whatever comes of it passes the allow-list as the caller's own SQL would."""
    return "'" + text.replace("'", "''") + "'"


def _model(row: dict[str, Any]) -> ModelRow:
    return ModelRow(
        provider=row["provider"], model=row["model"] and clean(row["model"][:200]), calls=row["requests"],
        failed=row["errors"], unpriced=row["unpriced"], input_tokens=row["input_tokens"],
        output_tokens=row["output_tokens"], cost_usd=usd(row["cost_nano_usd"]), p50_seconds=seconds(row["p50_ns"]) or 0.0,
        p95_seconds=seconds(row["p95_ns"]) or 0.0, p99_seconds=seconds(row["p99_ns"]) or 0.0,
    )  # fmt: skip


def _cost(row: list[Any]) -> CostRow:
    key, calls, failed, unpriced, given, made, nano = row
    return CostRow(
        key=None if key is None else clean(str(key)[:200]), calls=calls, failed=failed, unpriced=unpriced,
        input_tokens=given, output_tokens=made, cost_usd=usd(nano),
    )  # fmt: skip


def _cell(value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    return clipped(compact(value), _CELL, "select substr(...) of it, or read_content")
