"""The conformance table: what a server tells of a client's conversation, cell by cell, beside the canonical rows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from tests.clients.canonical import CALLS, COLUMNS, TRACE, Cell, Value, canonical
from tests.clients.client import Setup
from tests.clients.conversation import QUESTION
from tests.fake_openai import ANSWER

Row = dict[str, Any]
"""A span as `/api/v1/traces/{trace_id}/spans/{span_id}` tells of it."""


def cells(rows: Sequence[Row], speaks: str) -> dict[Cell, tuple[Value, Value]]:
    """Return each cell's canonical value and the one found. Of a call that is not there, only that is a cell."""
    found = _found(rows)
    wanted = canonical(speaks)
    there = {call for call, field in found if found[call, field] is True and field == "present"} | {TRACE}
    return {
        cell: (value, found.get(cell)) for cell, value in wanted.items() if cell[0] in there or cell[1] == "present"
    }


def complaints(rows: Sequence[Row], setup: Setup) -> list[str]:
    """Return what is wrong: each cell that differs and is not listed, and each listed one that does not differ."""
    table = cells(rows, setup.client.speaks)
    differing = {cell for cell, (wanted, found) in table.items() if wanted != found}
    listed: set[Cell] = set()
    told: list[str] = []
    for one in setup.differs:
        matched = {cell for cell in table if _names(one.call, cell[0]) and _names(one.field, cell[1])}
        listed |= matched
        agreeing = sorted(" ".join(cell) for cell in matched - differing)
        if agreeing or not matched:
            told.append(
                f"listed, but does not differ: {', '.join(agreeing) or f'{one.call} {one.field}, which is no cell'}"
            )
    for call, field in sorted(differing - listed, key=_order):
        wanted, found = table[call, field]
        told.append(f"{call} {field}:\n    wanted {wanted!r}\n    found  {found!r}")
    return told


def _names(given: str | tuple[str, ...], name: str) -> bool:
    return given == "*" or (given == name if isinstance(given, str) else name in given)


def _order(cell: Cell) -> tuple[int, str]:
    return ((*CALLS, TRACE).index(cell[0]), cell[1])


def _found(rows: Sequence[Row]) -> dict[Cell, Value]:
    calls, others = identify(rows)
    by_id = {row["span_id"]: row for row in rows}
    names = {row["span_id"]: call for call, row in calls.items()}
    found: dict[Cell, Value] = {}
    for call in CALLS:
        found[call, "present"] = call in calls
        if call in calls:
            row = calls[call]
            found |= {(call, field): value for field, value in _row(call, row).items()}
            found[call, "parent"] = _parent(row, by_id, names)
    found[TRACE, "one_trace"] = len({row["trace_id"] for row in rows}) == 1
    found[TRACE, "counted_once"] = not any(row["usage"]["input_tokens"] or row["cost"] for row in others)
    return found


def identify(rows: Sequence[Row]) -> tuple[dict[str, Row], list[Row]]:
    """Tell which row is which call, by kind and order of time; return the rest too, the client's spans around them.

    Of a call that is told twice the one that is counted is meant.
    """
    ordered = sorted((row for row in rows if row["duplicate_of"] is None), key=_time)
    chats = [row for row in ordered if row["kind"] == "llm"]
    failed = [row for row in chats if row["status"] == "error"]
    fine = [row for row in chats if row["status"] != "error"]
    calls = dict(zip(("ask", "answer", "stream"), fine, strict=False))
    named: list[tuple[str, Iterable[Row]]] = [
        ("failure", failed),
        ("tool", (row for row in ordered if row["kind"] == "tool")),
        ("embedding", (row for row in ordered if row["kind"] == "embedding")),
        ("root", (row for row in ordered if row["parent_span_id"] is None)),
    ]
    for call, found in named:
        if (row := next(iter(found), None)) is not None and row not in calls.values():
            calls[call] = row
    return calls, [row for row in ordered if row not in calls.values()]


def _time(row: Row) -> tuple[str, str]:
    seconds, _, fraction = row["start_time"].removesuffix("Z").partition(".")
    return seconds, fraction.ljust(9, "0")


def _parent(row: Row, by_id: dict[str, Row], names: dict[str, str]) -> str | None:
    """Return the nearest call above, through whatever the client puts in between."""
    above = row["parent_span_id"]
    while above is not None and above not in names:
        if above not in by_id:
            return "a span that is not there"
        above = by_id[above]["parent_span_id"]
    return None if above is None else names[above]


def _row(call: str, row: Row) -> dict[str, Value]:
    cost, first = row["cost"], int(row["time_to_first_token_ns"] or 0)
    values: dict[str, Value] = {
        **{name: row[name] for name in ("kind", "provider", "request_model", "model", "tool_name", "service")},
        **{name: row[name] for name in ("environment", "release", "error_type")},
        "session": row["session_id"],
        "user": row["user_id"],
        "tags": ", ".join(row["tags"]) or None,
        **{name: row["usage"][name] or None for name in COLUMNS["tokens"]},
        "cost": None if cost is None else " ".join(one for one in (cost["state"], cost["nano_usd"]) if one),
        "finish_reasons": ", ".join(row["finish_reasons"]) or None,
        "streaming": bool(row["streaming"]),
        "time_to_first_token": 0 < first < int(row["duration_ns"]),
        "parameters": _compact(row["parameters"]),
        "tools": ", ".join(_tool(one) for one in row["tools"]) or None,
        "status": "error" if row["status"] == "error" else "fine",
        "error": _within("the model is broken", row["status_message"]),
        "input": content(row["input"]),
        "output": content(row["output"]),
    }
    if call == "root":
        values |= {"input": _within(QUESTION, values["input"]), "output": _within(ANSWER, values["output"])}
    if call == "tool":
        values |= {"input": _plain(row["input"]), "output": _plain(row["output"])}
    return values


def _within(wanted: str, text: Value) -> Value:
    """Return what was looked for where it is in the text, else the text."""
    return wanted if isinstance(text, str) and wanted in text else text


def content(told: Row | None) -> str | None:
    """Write a conversation as one line: `role: text | role: …`; a plain value as it is."""
    if told is None:
        return None
    if not told["messages"]:
        text: str | None = told["text"]
        return text
    return " | ".join(f"{one['role']}: {' '.join(map(_part, one['parts']))}" for one in told["messages"])


def _part(part: Row) -> str:
    match part["type"]:
        case "text" | "reasoning":
            return str(part["text"])
        case "tool_call":
            return f"{part['id']} {part['name']} {_compact(part['arguments'])}"
        case "tool_result":
            return f"{part['id']} = {_compact(part['result'])}"
        case other:
            return f"[{other}]"


def _plain(told: Row | None) -> str | None:
    """Write a tool's arguments or result, whatever it was wrapped in."""
    return None if told is None else _compact(told["text"]) if told["text"] else content(told)


def _compact(value: Any) -> str:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return str(value)
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def _tool(told: Any) -> str:
    """Write a tool's definition, in OpenAI's nested shape, in OTel's flat one or in Anthropic's."""
    tool = json.loads(told) if isinstance(told, str) else told
    tool = tool.get("function") or tool
    schema = tool.get("parameters") or tool.get("input_schema") or {}
    return f"{tool.get('name')}: {tool.get('description')} ({', '.join(schema.get('properties', ()))})"
