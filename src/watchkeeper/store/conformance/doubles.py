"""A call that two instrumentations told is flagged, and counted once."""

from __future__ import annotations

from typing import Any

import msgspec

from watchkeeper.model import RawSpan, Span
from watchkeeper.store.api import SpanFilter, SpanStore
from watchkeeper.store.conformance.samples import SECOND, START, Maker, log_of, refine, stored, stored_logs
from watchkeeper.store.conformance.support import eventually

__all__ = ["Doubles"]

make = Maker()
_HOUR = 3_600 * SECOND
OUTER, INNER = f"{2:016x}", f"{3:016x}"


def _call(span: int, scope: str, *, parent: int = 1, **given: Any) -> Span:
    told = {"kind": "llm", "model": "m", "tokens": 7, "cost": 9, "at": 1.0, "takes": 3.0, **given}
    return make.span(1, span, parent=parent, scope=scope, **told)


def _twice(**given: Any) -> tuple[Span, Span, Span]:
    """Return a trace: a root, a framework's call, and the client's within it, which has the output."""
    inner = _call(3, "client", at=1.5, takes=2.0, parent=2, output="sunny", **given)
    return make.span(1, 1, takes=9.0), _call(2, "framework"), inner


def _doubles(store: SpanStore) -> dict[str, str]:
    rows = store.list_spans("default", SpanFilter(), limit=50).items
    return {row.span_id: row.duplicate_of for row in rows if row.duplicate_of is not None}


def _counted(store: SpanStore) -> tuple[Any, ...]:
    """Return calls, tokens and cost as a trace, the overview and the hours tell them."""
    trace = store.get_trace("default", f"{1:032x}")
    figures = store.overview("default", since=START - _HOUR, until=START + _HOUR)
    hours = store.hours(since=START - _HOUR, until=START + _HOUR, source="")
    assert trace is not None
    return (
        (trace.calls, trace.input_tokens, trace.output_tokens, trace.cost_nano_usd),
        (figures.requests, figures.input_tokens, figures.output_tokens, figures.cost_nano_usd),
        tuple((hour.calls, hour.input_tokens, hour.output_tokens, hour.cost_nano_usd) for hour in hours),
    )


ONCE = ((1, 7, 1, 9), (1, 7, 1, 9), ((1, 7, 1, 9),))
TWO = ((2, 14, 2, 18), (2, 14, 2, 18), ((2, 14, 2, 18),))


class Doubles:
    """Found however they come."""

    def test_what_differs_is_two_calls(self, store: SpanStore) -> None:
        """Two calls of one scope, of other counts, of another model, or one after the other are all counted."""
        stored(store, make.span(1, 1, takes=99.0), _call(2, "a", at=1.0), _call(3, "a", at=1.5, takes=2.0, parent=2))
        stored(store, _call(4, "a", at=11.0), _call(5, "b", at=11.5, takes=2.0, parent=4, tokens=8))
        stored(store, _call(6, "a", at=21.0), _call(7, "b", at=21.5, takes=2.0, parent=6, model="n"))
        stored(store, _call(8, "a", at=31.0, takes=1.0), _call(9, "b", at=32.5, takes=1.0))
        stored(store, _call(10, "a", at=41.0), _call(11, "b", at=41.5, takes=2.0, parent=10, status="error"))
        assert eventually(lambda: _counted(store)[0][0] == 10)
        assert _doubles(store) == {}

    def test_within_a_batch(self, store: SpanStore) -> None:
        """The one that tells more is counted, the other names it; both stay."""
        stored(store, *_twice())
        assert _doubles(store) == {OUTER: INNER}
        assert _counted(store) == ONCE

    def test_the_inner_one_comes_first(self, store: SpanStore) -> None:
        """The client's span is there before the framework's, as SDKs send them; soon after it is counted once."""
        root, outer, inner = _twice()
        stored(store, inner)
        stored(store, outer)
        stored(store, root)
        assert eventually(lambda: _doubles(store) == {OUTER: INNER})
        assert _counted(store) == ONCE

    def test_the_outer_one_comes_first(self, store: SpanStore) -> None:
        """In the other order too; figures that were read before are not told again."""
        root, outer, inner = _twice()
        stored(store, root, outer)
        assert _counted(store)[1] == ONCE[1]
        stored(store, inner)
        assert eventually(lambda: _doubles(store) == {OUTER: INNER})
        assert _counted(store) == ONCE

    def test_found_out_late_to_be_two(self, store: SpanStore) -> None:
        """When the rest of a span comes and its counts are others, they are two again."""
        root, outer, inner = _twice()
        stored(store, root, outer, inner)
        assert _counted(store) == ONCE
        stored(store, refine("default", _told_anew(outer, tokens=8), START))
        assert eventually(lambda: _doubles(store) == {})
        assert _counted(store)[0] == (2, 15, 2, 18)

    def test_an_amended_one_stays_one(self, store: SpanStore) -> None:
        """A log record for either leaves it counted once."""
        root, outer, inner = _twice()
        stored(store, root, outer, inner)
        stored_logs(store, log_of(outer, "late"), log_of(inner, "late"))
        assert eventually(lambda: _doubles(store) == {OUTER: INNER})
        assert _counted(store) == ONCE

    def test_the_counted_one_is_gone(self, store: SpanStore) -> None:
        """When the counted one has reached its age, what is left of the call is counted."""
        root, outer, inner = _twice(service="old")
        stored(store, root, outer, inner)
        assert _counted(store) == ONCE
        store.expire("default", "old", START + _HOUR)
        assert eventually(lambda: _doubles(store) == {})
        assert _counted(store) == ONCE

    def test_mapped_anew_it_stays_one(self, store: SpanStore) -> None:
        """Mapping spans anew keeps what is known of them together."""
        stored(store, *_twice())
        report = store.remap("default", SpanFilter(), _renamed, limit=50)
        assert (report.changed, set(report.fields)) == (3, {"name"})
        assert eventually(lambda: _doubles(store) == {OUTER: INNER})
        assert _counted(store) == ONCE


def _told_anew(span: Span, **attributes: Any) -> RawSpan:
    return msgspec.structs.replace(span.raw, attributes={**span.raw.attributes, **attributes})


def _renamed(span: Span) -> Span:
    fresh = refine(span.project, span.raw, span.received_at)
    return msgspec.structs.replace(fresh, name=f"{fresh.name}!")
