"""Spans masked together are masked as each would be by itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.guard import Masker, Mode, Pseudonyms
from watchkeeper.guard.recognizer import readable, without_unseen
from watchkeeper.model import AttributeValue, RawLog, RawSpan

MASKER = Masker(Pseudonyms(b"0" * 32))
TEXTS: tuple[AttributeValue, ...] = (
    "nothing to see", "write to anna.muster@example.org", "call +41 44 668 18 00", "sk-proj-" + "a1B2c3D4" * 6, 7, None,
    ["deep", "anna.muster@example.org"], "Grüezi zäme", "a\u200bnna.muster\uff20example.org", "41 44 668", "\udc00",
)  # fmt: skip
MODES: tuple[Mode, ...] = ("full", "masked", "off")


def one(number: int, value: AttributeValue) -> RawSpan:
    """Return a span that holds a value where content stands."""
    return RawSpan(trace_id="ab" * 16, span_id=f"{number:016x}", name="chat", attributes={"note": value, "n": number})


@given(st.lists(st.tuples(st.sampled_from(TEXTS), st.sampled_from(MODES)), max_size=40))
def test_together_is_as_alone(told: list[tuple[AttributeValue, Mode]]) -> None:
    """Whatever stands beside a span, it comes out as it does alone, with the same counts."""
    raws = [one(number, value) for number, (value, _) in enumerate(told)]
    modes = [mode for _, mode in told]

    together = MASKER.batch().spans(raws, modes)

    assert together == [MASKER.batch().span(raw, mode) for raw, mode in zip(raws, modes, strict=True)]


@pytest.mark.parametrize("mode", ["full", "masked"])
def test_one_that_fails_fails_alone(mode: Mode) -> None:
    """A span that cannot be masked is stored bare, and those beside it as they came."""
    log = RawLog(trace_id="ab" * 16, span_id="1", attributes={"a": 1})
    broken = RawSpan(trace_id="ab" * 16, span_id="1", attributes={"note": "x" * 9}, logs=(log, 3))  # type: ignore[arg-type]
    fine = one(2, "nothing to see")

    found = MASKER.batch().spans([fine, broken, fine], [mode] * 3)

    assert [counts for _, counts in found] == [{}, {"failed": 1}, {}]
    assert found[0][0] is fine


@pytest.mark.parametrize("letter", ["\uff01", "\uff21", "\uff5e", "\u3000", "\ud800"])
def test_odd_letters_are_read(letter: str) -> None:
    """Wide letters are read as plain ones and lone surrogates replaced, beside whatever else a text holds."""
    assert letter not in readable(f"ü {letter} €")


@pytest.mark.parametrize("letter", ["\u00ad", "\u200b", "\u200c", "\u200d", "\u2060", "\ufeff"])
def test_unseen_letters_are_taken_out(letter: str) -> None:
    """What nobody sees parts no word."""
    assert without_unseen(f"ab{letter}c") == ("abc", [0, 1, 3])
