"""From the API's JSON to what a model is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from watchkeeper.mcp.results import Message, Score, Span, Trace, seconds, usd
from watchkeeper.mcp.text import clean, clipped, compact

__all__ = ["content_text", "messages", "name", "score", "span", "tags", "trace", "tree"]

_LINE = 240
_NAME = 200
_COMMENT = 500


def trace(row: dict[str, Any]) -> Trace:
    """Shape a trace of a list."""
    return Trace(
        trace_id=row["trace_id"], name=name(row["name"]) or "", service=name(row["service"]) or "",
        environment=name(row["environment"]), session=name(row["session_id"]), user=name(row["user_id"]),
        tags=tags(row["tags"]), start_time=row["start_time"], seconds=seconds(row["duration_ns"]) or 0.0,
        status=row["status"], spans=row["spans"], model_calls=row["calls"], failed_spans=row["errors"],
        unpriced_calls=row["unpriced"], models=[clean(one)[:_NAME] for one in row["models"][:10]],
        input_tokens=row["input_tokens"], output_tokens=row["output_tokens"], cost_usd=usd(row["cost_nano_usd"]),
        input=clean(row["input"][:_LINE]) or None, output=clean(row["output"][:_LINE]) or None,
    )  # fmt: skip


def span(row: dict[str, Any], *, depth: int | None = None, alone: bool = True, lines: bool = True) -> Span:
    """Shape a span; in a tree (not `alone`) without what the trace says already, and with no lines where there are many."""
    error = ": ".join(one for one in (row["error_type"], row["status_message"]) if one)
    return Span(
        span_id=row["span_id"], parent_span_id=row["parent_span_id"], trace_id=row["trace_id"] if alone else None,
        depth=depth, kind=row["kind"], name=name(row["name"]) or "", service=name(row["service"]) if alone else None,
        start_time=row["start_time"], seconds=seconds(row["duration_ns"]) or 0.0, status=row["status"],
        error=clean(error[:_COMMENT]) or None, provider=name(row["provider"]), model=name(row["model"]),
        tool=name(row["tool_name"]), agent=name(row["agent_name"]), input_tokens=row.get("input_tokens"),
        output_tokens=row.get("output_tokens"), cost_usd=usd(row.get("cost_nano_usd")),
        time_to_first_token_seconds=seconds(row["time_to_first_token_ns"]),
        counted_as=row["duplicate_of"], input=_line(row["input"], lines), output=_line(row["output"], lines),
    )  # fmt: skip


def tree(rows: list[dict[str, Any]]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (depth, row) with children after their parent, by time; a span whose parent is not here is a root.

    Spans that name each other as parents come last, as roots, so that each is told once.
    """
    here = {row["span_id"] for row in rows}
    children: dict[str | None, list[dict[str, Any]]] = {}
    for row in rows:
        parent = row["parent_span_id"]
        children.setdefault(parent if parent in here and parent != row["span_id"] else None, []).append(row)
    told: set[str] = set()
    waiting = [(0, row) for row in reversed(children.get(None, []))]
    left = iter(rows)
    while True:
        while waiting:
            depth, row = waiting.pop()
            if row["span_id"] in told:
                continue
            told.add(row["span_id"])
            yield depth, row
            waiting += [(depth + 1, one) for one in reversed(children.get(row["span_id"], []))]
        stray = next((row for row in left if row["span_id"] not in told), None)
        if stray is None:
            return
        waiting.append((0, stray))


def messages(content: dict[str, Any] | None, limit: int, rest: str) -> list[Message]:
    """Shape a span's input or output, each turn clipped at the limit; documents and plain values are one turn of their own."""
    if content is None:
        return []
    found = [
        Message(role=clean(one["role"][:40]), text=clipped(_parts(one["parts"]), limit, rest))
        for one in content["messages"]
    ]
    for document in content["documents"]:
        text = document["content"] or document["id"] or ""
        found.append(Message(role="document", text=clipped(text, limit, rest)))
    if content["text"]:
        found.append(Message(role="value", text=clipped(content["text"], limit, rest)))
    return found


def content_text(content: dict[str, Any] | None) -> str:
    """Return the whole of a span's input or output as text, each turn headed by its role."""
    if content is None:
        return ""
    turns = [f"[{one['role']}]\n{_parts(one['parts'])}" for one in content["messages"]]
    turns += [f"[document]\n{one['content'] or one['id'] or ''}" for one in content["documents"]]
    return "\n\n".join([*turns, *([content["text"]] if content["text"] else [])])


def score(row: dict[str, Any], *, alone: bool = True) -> Score:
    """Shape a score; below its own trace (not `alone`) without the trace's id."""
    return Score(
        name=name(row["name"]) or "", value=row["value"], label=name(row["label"]), source=row["source"],
        trace_id=row["trace_id"] if alone else None, span_id=row["span_id"], session=name(row["session_id"]),
        evaluator=name(row["evaluator"]), comment=clean((row["comment"] or "")[:_COMMENT]) or None, time=row["time"],
    )  # fmt: skip


def name(text: str | None) -> str | None:
    """Return a name, cleaned and bounded; None where there is none."""
    return clean(text[:_NAME]) if text else None


def tags(found: list[str]) -> list[str] | None:
    """Return the first tags, cleaned and bounded; None where there are none."""
    return [clean(one[:_NAME]) for one in found[:20]] or None


def _parts(parts: list[dict[str, Any]]) -> str:
    return "\n".join(_part(part) for part in parts)


def _part(part: dict[str, Any]) -> str:
    kind = part["type"]
    if kind == "text":
        return str(part["text"])
    if kind == "reasoning":
        return f"[reasoning] {part['text']}"
    if kind == "tool_call":
        return f"[tool call] {part['name']}({compact(part['arguments'])})"
    if kind == "tool_result":
        return f"[tool result] {compact(part['result'])}"
    if kind == "media":
        return f"[{part['modality']}{' ' + part['uri'] if part['uri'] else ''}]"
    return f"[{part['kind']}] {compact(part['value'])}"


def _line(text: str, wanted: bool) -> str | None:  # noqa: FBT001 - the caller's own switch
    return clean(text[:_LINE]) or None if wanted else None
