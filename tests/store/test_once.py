"""Content is stored once: what is taken out of the attributes comes back exactly, and is really out."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from watchkeeper.model import Content, Document, Message, OtherPart, TextPart, ToolCallPart, ToolResultPart
from watchkeeper.store import codec, once

LONG = "The quick brown fox, seven wizards and a box of jugs. " * 4
ESCAPES = 'She said "no"\n\tand \\ went / away \x07 ' * 5
FOREIGN = "Größe 100 €, naïve, 東京 🙂 " * 8


def said(*texts: str) -> Content:
    """Make a conversation of one message."""
    return Content(messages=(Message(role="user", parts=tuple(TextPart(text=text) for text in texts)),))


def through(attributes: dict[str, Any], told: Content | None, answered: Content | None = None) -> tuple[str, bool]:
    """Take out, store, read and put back; return what is stored, and whether all came back in its order."""
    slim, noted = once.take_out(attributes, told, answered)
    stored = codec.encode_attributes(slim)
    found = codec.decode_attributes(stored)
    again = [codec.decode_content(codec.encode_content(one)) for one in (told, answered)]
    whole = found if noted is None else once.put_back(found, noted, again[0], again[1])
    return stored + (noted or ""), codec.encode_attributes(whole) == codec.encode_attributes(attributes)


@pytest.mark.parametrize("text", [LONG, ESCAPES, FOREIGN])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_conversation_as_json_is_stored_once(text: str, ascii_only: bool) -> None:  # noqa: FBT001
    """A prompt inside a JSON attribute is not stored there again, whichever way its writer escapes."""
    value = json.dumps(
        [{"role": "user", "content": text}, {"role": "user", "content": text + "?"}], ensure_ascii=ascii_only
    )

    stored, same = through({"a": 1, "in": value, "b": None}, said(text, text + "?"))

    assert same
    assert len(stored) < len(value) / 2


@pytest.mark.parametrize("text", [LONG, ESCAPES, FOREIGN])
def test_a_text_as_it_is_is_stored_once(text: str) -> None:
    """A prompt that is an attribute by itself is not stored there again, in its place among the others."""
    stored, same = through({"z": "before", "in": text, "a": "after"}, None, Content(text=text))

    assert same
    assert len(stored) < len(text)


def test_every_kind_of_part_counts() -> None:
    """Tool calls, their results, documents and unread parts are found as texts are."""
    parts = (
        ToolCallPart(name="f", arguments={"deep": [1.5, {"q": LONG + "1"}]}), ToolResultPart(result=LONG + "2"),
        OtherPart(kind="x", value=[LONG + "3"]),
    )  # fmt: skip
    told = Content(messages=(Message(role="tool", parts=parts),))
    answered = Content(documents=(Document(content=LONG + "4", metadata={"m": LONG + "5"}),))
    attributes = {f"k{n}": f"{LONG}{n}" for n in range(1, 6)}

    stored, same = through(attributes, told, answered)

    assert same
    assert LONG not in stored


@pytest.mark.parametrize(
    "value",
    [
        LONG[:50], LONG + " and more", json.dumps([ESCAPES])[:-30], "[" + LONG, "{" * 200, LONG + "\ud800",
        "[" + json.dumps(LONG) + ', "\ud800"]', b"bytes", 5, None, [LONG], {"deep": LONG}, {"$map": LONG},
    ],
)  # fmt: skip
def test_whatever_comes_comes_back(value: Any) -> None:
    """Near misses, broken JSON, text that is no Unicode and values that are no text come back as they were."""
    for told in (None, Content(), said(LONG), said(LONG + "\ud800", LONG), said(ESCAPES)):
        assert through({"a": value, "b": LONG, "c": None}, told)[1]


def test_a_text_that_comes_twice_or_in_another_order_comes_back() -> None:
    """Texts that repeat, overlap or stand in another order than in the conversation come back as they were."""
    one, two = LONG + "1", LONG + LONG
    for told in (said(one, two), said(two, one), said(one, one, one)):
        assert through({"in": json.dumps([two, one, two, one])}, told)[1]


def test_short_texts_stay() -> None:
    """What is not worth a reference stays in the attributes, where SQL finds it."""
    slim, noted = once.take_out({"in": "hello"}, said("hello"), None)

    assert noted is None
    assert slim == {"in": "hello"}
    assert msgspec.json.decode(codec.encode_attributes(slim)) == {"in": "hello"}
