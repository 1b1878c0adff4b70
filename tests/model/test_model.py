"""The canonical types."""

from __future__ import annotations

from typing import Any

import msgspec

from watchkeeper.model import (
    Content,
    Cost,
    Document,
    MediaPart,
    Message,
    RawEvent,
    RawLog,
    RawSpan,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    Usage,
    merge_raw,
    preview,
)

IDS: dict[str, Any] = {"trace_id": "a" * 32, "span_id": "b" * 16}


def test_an_empty_amendment_erases_nothing() -> None:
    """A later receipt that left a field at its default keeps the earlier value."""
    whole = RawSpan(**IDS, name="chat", start_time=5, end_time=9, attributes={"a": 1}, status_code=1)

    assert merge_raw(whole, RawSpan(**IDS)) == whole


def test_a_later_receipt_wins_by_key() -> None:
    """Attributes merge key by key, the later receipt winning."""
    merged = merge_raw(
        RawSpan(**IDS, attributes={"a": 1, "b": 2}), RawSpan(**IDS, attributes={"b": 3, "c": 4}, end_time=7)
    )

    assert merged.attributes == {"a": 1, "b": 3, "c": 4}
    assert merged.end_time == 7


def test_merging_twice_changes_nothing_more() -> None:
    """Merging the same receipt again is a no-op, events and logs included."""
    log = RawLog(**IDS, event_name="e", body={"x": 1})
    later = RawSpan(**IDS, events=(RawEvent(name="e", time=1),), logs=(log,))
    once = merge_raw(RawSpan(**IDS, name="n"), later)

    assert merge_raw(once, later) == once
    assert once.logs == (log,)


def test_preview_is_one_short_line() -> None:
    """A preview has no line breaks and at most 240 characters."""
    content = Content(messages=(Message(role="user", parts=(TextPart("line\nbreak " * 100),)),))

    assert len(preview(content)) == 240
    assert "\n" not in preview(content)


def test_preview_of_every_part() -> None:
    """Text, reasoning, tool calls, results and media all have something to show."""
    parts = (
        TextPart("hi"),
        ReasoningPart("hm"),
        ToolCallPart(id="1", name="weather", arguments={"city": "Bern"}),
        ToolResultPart(id="1", result="sunny"),
        MediaPart(modality="image", uri="x"),
    )

    assert (
        preview(Content(messages=(Message(role="user", parts=parts),)))
        == 'hi hm weather({"city":"Bern"}) sunny [image]'
    )
    assert preview(Content(documents=(Document(id="d1"), Document(content="text")))) == "d1 · text"
    assert preview(Content(text="plain")) == "plain"
    assert preview(None) == ""


def test_content_survives_json() -> None:
    """Content written as JSON reads back the same, part types included."""
    content = Content(
        messages=(Message(role="assistant", parts=(ToolCallPart(name="f", arguments=[1]), TextPart("x"))),)
    )

    assert msgspec.json.decode(msgspec.json.encode(content), type=Content) == content


def test_zero_tokens_are_not_unknown_tokens() -> None:
    """A usage of zero is a usage; one with nothing reported is not."""
    assert Usage(input_tokens=0)
    assert not Usage()
    assert Cost(state="unpriced").nano is None
