"""Which dialects a span is offered to."""

from __future__ import annotations

from watchkeeper.ingest import detect
from watchkeeper.ingest.detect import Detector
from watchkeeper.ingest.draft import Draft
from watchkeeper.model import RawEvent, RawLog, RawSpan


class Tongue:
    """A dialect that is marked by the heads it is given."""

    def __init__(self, name: str, *heads: str) -> None:
        self.name, self.heads = name, frozenset(heads)

    def speaks(self, raw: RawSpan) -> bool:
        return True

    def read(self, raw: RawSpan) -> Draft:
        return Draft()


DETECTOR = Detector([Tongue("first", "a", "shared"), Tongue("second", "b", "shared")])


def offered(detector: Detector = DETECTOR, **given: object) -> list[str]:
    """Return the names of the dialects that a span with these fields is offered to."""
    raw = RawSpan(trace_id="a" * 32, span_id="b" * 16, **given)  # type: ignore[arg-type]
    return [one.name for one in detector.offered(raw)]


def test_a_span_without_a_head_is_offered_to_none() -> None:
    """A key marks a dialect by its whole first word, not by a part of it."""
    assert offered(attributes={"abc.d": 1, "x.a": 2, "": 3}) == []


def test_dialects_come_in_their_order() -> None:
    """The order is the table's, not that of the keys."""
    assert offered(attributes={"b.x": 1, "a.x": 2}) == ["first", "second"]
    assert offered(attributes={"shared": 1}) == ["first", "second"]


def test_events_and_joined_logs_mark_too() -> None:
    """What only an event or a log record shows is seen."""
    assert offered(events=(RawEvent(name="a.message"),)) == ["first"]
    assert offered(logs=(RawLog(trace_id="a" * 32, span_id="b" * 16, event_name="b.choice"),)) == ["second"]


def test_strange_keys_do_not_pile_up() -> None:
    """However many different keys strangers send, those remembered are bounded, and detection stays right."""
    detector = Detector([Tongue("first", "a")])
    for batch in range(5):
        offered(detector, attributes={f"k{batch}-{n}": 1 for n in range(10_000)})

    assert len(detector._keys) <= detect._KEYS_MAX
    assert offered(detector, attributes={"a.b": 1}) == ["first"]
