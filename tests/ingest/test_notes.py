"""Notes: what was odd about a span, said in sentences, and nothing said of what is in order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.ingest import recorded
from tests.otlp import CHAT
from watchkeeper.ingest import map_span, notes_of
from watchkeeper.ingest.notes import CODES
from watchkeeper.model import AttributeValue, RawSpan, Span

SECOND = 10**9
START = 1_790_000_000 * SECOND
PARENT = "00000000000000aa"


def mapped(attributes: dict[str, AttributeValue] | None = None, **fields: Any) -> Span:
    """Map a chat of a second, received as it ended; what is given changes it."""
    told: dict[str, Any] = {
        "trace_id": "a" * 32, "span_id": "b" * 16, "start_time": START, "end_time": START + SECOND,
        "attributes": CHAT if attributes is None else attributes, **fields,
    }  # fmt: skip
    return map_span("default", RawSpan(**told), START + SECOND)


def chat(**more: AttributeValue) -> Span:
    """Map a chat with more attributes, dots written as two underscores."""
    return mapped(CHAT | {key.replace("__", "."): value for key, value in more.items()})


PLAIN = mapped({})
ODD: dict[str, tuple[Span, Span | None, tuple[str, ...]]] = {
    "unread": (mapped({"llm.odd": 1}), None, ("llm.", "kept as they came")),
    "no_model": (mapped({"gen_ai.operation.name": "chat"}), None, ("names no model",)),
    "no_usage": (
        mapped({"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}), None, ("nothing of its tokens",),
    ),
    "usage_differs": (
        chat(llm__token_count__prompt=1_010), None,
        ("1,000 (gen_ai.usage.input_tokens)", "1,010 (llm.token_count.prompt)", "1,000 is what is shown"),
    ),
    "total_differs": (chat(llm__token_count__total=7), None, ("is 7", "1,500")),
    "not_a_count": (chat(llm__token_count__completion=-4), None, ("llm.token_count.completion", "-4", "left out")),
    "binary": (chat(input__value=b"\xff\xfe"), None, ("input.value (2 bytes)", "base64")),
    "not_json": (
        mapped(CHAT | {"gen_ai.input.messages": '[{"role":"user","par'}), None,
        ("gen_ai.input.messages", "20 characters"),
    ),
    "dropped": (mapped(dropped_attributes=3, dropped_events=1), None, ("3 attributes and 1 events",)),
    "no_start": (mapped({}, start_time=0), None, ("1970",)),
    "no_end": (mapped({}, end_time=0), None, ("duration is shown as 0",)),
    "ends_before_start": (mapped({}, end_time=START - 5 * SECOND), None, ("5.000 s before",)),
    "ahead": (mapped({}, start_time=START + 601 * SECOND, end_time=START + 602 * SECOND), None, ("10 minutes",)),
    "before_parent": (
        mapped({}, parent_span_id=PARENT), mapped({}, span_id=PARENT, start_time=START + 3 * SECOND), ("3.000 s before",),
    ),
    "orphan": (mapped({}, parent_span_id=PARENT), None, (PARENT, "as a root")),
    "own_parent": (mapped({}, parent_span_id="b" * 16), None, ("names itself",)),
    "seen_twice": (msgspec.structs.replace(mapped(), duplicate_of=PARENT), None, (PARENT, "in no sum")),
}  # fmt: skip


def test_every_code_is_tested_and_documented() -> None:
    """The page of notes has a row for each code, and so has this file."""
    page = (Path(__file__).parents[2] / "docs" / "notes.md").read_text()

    assert set(ODD) == set(CODES)
    assert [code for code in CODES if f"| `{code}` |" not in page] == []


@pytest.mark.parametrize("code", CODES)
def test_what_is_odd_is_said(code: str) -> None:
    """Each oddity gives its note, and no other, with the keys and numbers that were found."""
    span, parent, words = ODD[code]
    (note,) = notes_of(span, parent)

    assert note.code == code
    assert [word for word in words if word not in note.text] == []


@pytest.mark.parametrize(
    ("span", "parent"),
    [
        (PLAIN, None),
        (mapped(), None),
        (mapped({}, parent_span_id=PARENT), mapped({}, span_id=PARENT)),
        # Two ways of counting: without what is read from the cache (400), and the total with it.
        (chat(llm__token_count__prompt=600, llm__token_count__total=1_500), None),
        (msgspec.structs.replace(mapped({"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}), status="error"), None),
    ],
)  # fmt: skip
def test_what_is_in_order_has_no_note(span: Span, parent: Span | None) -> None:
    """A plain span, a whole call, a child of its parent, counts with and without the cache, and a failed call say nothing."""
    assert notes_of(span, parent) == ()


@pytest.mark.parametrize("client", sorted(path.name.split(".")[0] for path in recorded.FOLDER.glob("*.traces.pb")))
def test_no_recorded_client_contradicts_itself(client: str) -> None:
    """What real clients sent has notes only of what they left out: of usage, of a parent elsewhere, of half a dialect."""
    spans = {raw.span_id: map_span("default", raw, raw.end_time + SECOND) for raw in recorded.raws(client)}
    notes = [note for span in spans.values() for note in notes_of(span, spans.get(span.parent_span_id or ""))]

    assert {note.code for note in notes} <= {"no_usage", "orphan", "unread"}
