"""Tools over traces and spans."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import CallToolResult
from pydantic import Field

from watchkeeper.mcp import shape
from watchkeeper.mcp.asking import Api, Reach, Told
from watchkeeper.mcp.results import Piece, Spans, SpanShown, Step, Traces, TraceShown, told, usd
from watchkeeper.mcp.text import clean, clipped, compact, fitting
from watchkeeper.mcp.times import TIME, moment

__all__ = ["TraceTools"]

BUDGET = 40_000
"""Characters of one answer, about 10,000 tokens."""

_TREE, _TALK = 200, 12
"""Spans of a shown tree; model calls and failures whose messages are shown."""
_LINES = 40
_TURN, _SPAN_TURN = 1_500, 6_000
_PIECE = 20_000

TraceId = Annotated[str, Field(pattern="^[0-9a-f]{32}$", description="32 lower-case hex digits")]
SpanId = Annotated[str, Field(pattern="^[0-9a-f]{16}$", description="16 lower-case hex digits")]
Since = Annotated[str | None, Field(max_length=40, description=f"Earliest start. {TIME}")]
Until = Annotated[str | None, Field(max_length=40, description=f"Before this. {TIME}")]
Exact = Annotated[str | None, Field(max_length=500, description="Exact value; `overview` lists what there is")]
Limit = Annotated[int, Field(ge=1, le=100)]
Cursor = Annotated[str | None, Field(max_length=500, description="`next_cursor` of the page before, same filters")]
Text = Annotated[str | None, Field(max_length=500, description="Text in a span's name, input or output")]


class TraceTools:
    """The tools, on a way to the API."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    async def find_traces(
        self,
        ctx: Told,
        service: Exact = None,
        environment: Exact = None,
        model: Exact = None,
        user: Exact = None,
        session: Exact = None,
        status: Annotated[Literal["ok", "error"] | None, Field(description="Of the trace's entry span")] = None,
        text: Text = None,
        since: Since = None,
        until: Until = None,
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> Annotated[CallToolResult, Traces]:
        """List traces (one request of an AI application each), newest first, with their model calls, tokens, cost, errors
        and the first line of what went in and out. Use it to find a trace, then `show_trace`.
        """  # noqa: D205 - a description that a model reads
        page = await Api(self._reach(ctx)).get(
            "/traces", service=service, environment=environment, model=model, user=user, session=session, status=status,
            q=text, since=moment("since", since), until=moment("until", until), limit=limit, cursor=cursor,
        )  # fmt: skip
        found = [shape.trace(row) for row in page["items"]]
        kept = fitting(found, BUDGET)
        return told(Traces(traces=kept, **_page(page, len(found), len(kept))))

    async def find_spans(
        self,
        ctx: Told,
        trace_id: TraceId | None = None,
        service: Exact = None,
        environment: Exact = None,
        kind: Annotated[
            Literal[
                "llm",
                "embedding",
                "retriever",
                "reranker",
                "tool",
                "agent",
                "workflow",
                "guardrail",
                "evaluator",
                "span",
            ]
            | None,
            Field(description="`llm` is a model call, `tool` a tool's run"),
        ] = None,
        model: Exact = None,
        user: Exact = None,
        session: Exact = None,
        status: Annotated[Literal["unset", "ok", "error"] | None, Field(description="`error` finds failures")] = None,
        text: Text = None,
        since: Since = None,
        until: Until = None,
        limit: Limit = 30,
        cursor: Cursor = None,
    ) -> Annotated[CallToolResult, Spans]:
        """List single spans (a model call, a tool's run, a retrieval), newest first, across traces or of one trace. Use it
        to search for failures or for text, then `show_span` or `show_trace`.
        """  # noqa: D205 - a description that a model reads
        page = await Api(self._reach(ctx)).get(
            "/spans", trace_id=trace_id, service=service, environment=environment, kind=kind, model=model, user=user,
            session=session, status=status, q=text, since=moment("since", since), until=moment("until", until),
            limit=limit, cursor=cursor,
        )  # fmt: skip
        found = [shape.span(row) for row in page["items"]]
        kept = fitting(found, BUDGET)
        return told(Spans(spans=kept, **_page(page, len(found), len(kept))))

    async def show_trace(self, ctx: Told, trace_id: TraceId) -> Annotated[CallToolResult, TraceShown]:
        """Show one trace: its sums, the tree of its spans with durations, errors and costs, the messages of its model
        calls, and its scores. Long texts are clipped; the clipping says how to read the rest.
        """  # noqa: D205 - a description that a model reads
        api = Api(self._reach(ctx))
        found = await api.get(f"/traces/{trace_id}")
        ordered = list(shape.tree(found["spans"]))
        lines = len(ordered) <= _LINES
        spans = [shape.span(row, depth=depth, alone=False, lines=lines) for depth, row in ordered[:_TREE]]
        tree = fitting(spans, BUDGET // 2)
        scores = fitting([shape.score(row, alone=False) for row in found["scores"]], BUDGET // 8)
        told_of = [row for _, row in ordered if row["kind"] == "llm" or row["status"] == "error"]
        steps = fitting(await _conversation(api, trace_id, told_of[:_TALK]), BUDGET // 2)
        left = []
        if len(tree) < len(ordered) or found["truncated"]:
            left.append(f"{len(ordered) - len(tree)} or more spans: find_spans with this trace_id")
        if len(steps) < len(told_of):
            left.append(f"messages of {len(told_of) - len(steps)} spans: show_span")
        if len(scores) < len(found["scores"]):
            left.append(f"{len(found['scores']) - len(scores)} scores: list_scores")
        return told(
            TraceShown(
                more="; ".join(left) or None,
                trace=shape.trace(found["trace"]),
                tree=tree,
                conversation=steps,
                scores=scores,
            )
        )

    async def show_span(self, ctx: Told, trace_id: TraceId, span_id: SpanId) -> Annotated[CallToolResult, SpanShown]:
        """Show one span: timing, status, tokens, how its cost was computed, parameters, its whole conversation (long
        turns clipped), and the names of its raw attributes. `read_content` reads what was clipped.
        """  # noqa: D205 - a description that a model reads
        row = await Api(self._reach(ctx)).get(f"/traces/{trace_id}/spans/{span_id}")
        shown = _span(row)
        for side in ("input", "output"):
            turns = getattr(shown, side)
            kept = fitting(turns[::-1], BUDGET // 3)[::-1]  # the newest turns say most
            if len(kept) < len(turns):
                left = f"{len(turns) - len(kept)} earlier turns of {side}: read_content"
                shown.more = f"{shown.more}; {left}" if shown.more else left
            setattr(shown, side, kept)
        return told(shown)

    async def read_content(
        self,
        ctx: Told,
        trace_id: TraceId,
        span_id: SpanId,
        what: Annotated[
            Literal["input", "output", "tools", "raw"],
            Field(
                description="`tools`: definitions the model was offered; `raw`: all attributes and events as they came"
            ),
        ],
        offset: Annotated[int, Field(ge=0, description="Character to begin at")] = 0,
        characters: Annotated[int, Field(ge=1, le=BUDGET)] = _PIECE,
    ) -> Annotated[CallToolResult, Piece]:
        """Read one span's input, output, tool definitions or raw attributes whole, in pieces: go on at `next_offset`."""
        row = await Api(self._reach(ctx)).get(f"/traces/{trace_id}/spans/{span_id}")
        text = shape.content_text(row[what]) if what in {"input", "output"} else compact(row[what])
        if offset > len(text):
            raise ToolError(f"offset {offset} is past the end: {what} has {len(text)} characters")
        end = min(len(text), offset + characters)
        while len(piece := clean(text[offset:end])) > 2 * BUDGET:  # codes written out are longer than their characters
            end = offset + (end - offset) // 2
        return told(
            Piece(
                text=piece, offset=offset, total_characters=len(text),
                next_offset=end if end < len(text) else None,
            )
        )  # fmt: skip


async def _conversation(api: Api, trace_id: str, rows: list[dict[str, Any]]) -> list[Step]:
    """Return what each span was given and gave, leaving out turns that an earlier one told."""
    seen: set[tuple[str, str]] = set()
    steps = []
    for row in rows:
        rest = f"read_content, span {row['span_id']}"
        whole = await api.get(f"/traces/{trace_id}/spans/{row['span_id']}")
        given = shape.messages(whole["input"], _TURN, rest)
        new = [turn for turn in given if (turn.role, turn.text) not in seen]
        gave = shape.messages(whole["output"], _TURN, rest)
        seen |= {(turn.role, turn.text) for turn in (*given, *gave)}
        steps.append(
            Step(
                span_id=row["span_id"], name=clean(row["name"][:200]), model=shape.name(row["model"]),
                repeated_messages=len(given) - len(new), input=fitting(new[::-1], BUDGET // 6)[::-1],
                output=fitting(gave, BUDGET // 6),
            )
        )  # fmt: skip
    return steps


def _span(row: dict[str, Any]) -> SpanShown:
    cost = row["cost"] or {}
    used = row["usage"]
    flat = {
        **row,
        "input": "",
        "output": "",
        "input_tokens": used["input_tokens"],
        "output_tokens": used["output_tokens"],
    }
    names = sorted(row["raw"].get("attributes") or {})
    offered = [clean(str(_tool_name(one))[:100]) for one in row["tools"]]
    return SpanShown(
        span=shape.span({**flat, "cost_nano_usd": cost.get("nano_usd")}),
        session=shape.name(row["session_id"]), user=shape.name(row["user_id"]), tags=shape.tags(row["tags"]),
        usage={name: count for name, count in used.items() if count is not None},
        cost={"usd": usd(cost.get("nano_usd"))} | {
            name: cost[name] for name in ("state", "currency", "source", "version", "confidence", "reason") if cost.get(name)
        } if cost else {},
        parameters=clipped(compact(row["parameters"]), _SPAN_TURN, "read_content with `raw`") if row["parameters"] else None,
        finish_reasons=[clean(one[:100]) for one in row["finish_reasons"][:20]],
        input=shape.messages(row["input"], _SPAN_TURN, "read_content with `input`"),
        output=shape.messages(row["output"], _SPAN_TURN, "read_content with `output`"),
        tools_offered=offered[:100], attributes=[clean(one[:100]) for one in names[:200]],
    )  # fmt: skip


def _tool_name(tool: object) -> object:
    if not isinstance(tool, dict):
        return compact(tool)
    inner = tool.get("function")
    return tool.get("name") or (inner.get("name") if isinstance(inner, dict) else None) or compact(tool)


def _page(page: dict[str, Any], found: int, kept: int) -> dict[str, Any]:
    if kept < found:
        return {"more": f"{found - kept} of {found} on this page left out for length: ask for a smaller limit"}
    return {"next_cursor": page["next_cursor"]}
