"""Pricing anew: costs change, and nothing else does."""

from __future__ import annotations

import msgspec

from watchkeeper.model import Cost, Span
from watchkeeper.store.api import CostChange, SpanFilter, SpanStore
from watchkeeper.store.conformance.samples import SECOND, START, Maker, stored
from watchkeeper.store.conformance.support import Backend, needs

__all__ = ["CostByHour", "PricingAnew", "PricingKept"]

make = Maker()
_HOUR = 3_600 * SECOND
_FAR = START + 10**15
_NEW = Cost(
    state="computed",
    nano=9,
    currency="EUR",
    nano_usd=10,
    source="new",
    version="2",
    detail={"input": 9},
    reason="single: x",
)


def _change(span: Span, after: Cost = _NEW) -> CostChange:
    return CostChange(
        trace_id=span.trace_id, span_id=span.span_id, start_time=span.start_time, before=span.cost, after=after
    )


def _calls(store: SpanStore, where: SpanFilter | None = None) -> list[Span]:
    return list(store.priced_spans("default", where or SpanFilter()).items)


class PricingAnew:
    """What `priced_spans` and `reprice` promise."""

    def test_only_model_calls_are_listed_and_bare(self, store: SpanStore) -> None:
        """Model calls come oldest first, with what a price depends on and without content or attributes."""
        stored(
            store,
            make.span(1, 1, kind="llm", cost=5, tokens=7, input="hello", provider="p"),
            make.span(1, 2, kind="tool"),
        )
        found = _calls(store)

        assert [(one.kind, one.provider, one.usage.input_tokens) for one in found] == [("llm", "p", 7)]
        assert found[0].cost is not None
        assert (found[0].cost.nano, found[0].input, found[0].raw.attributes) == (5, None, {})

    def test_pages_miss_none(self, store: SpanStore) -> None:
        """Paging by cursor meets every model call once."""
        stored(store, *(make.span(number, 1, kind="llm", cost=number) for number in range(1, 8)))
        seen: list[str] = []
        cursor = None
        while True:
            page = store.priced_spans("default", SpanFilter(), limit=2, cursor=cursor)
            seen += [one.trace_id for one in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break

        assert len(seen) == len(set(seen)) == 7

    def test_a_cost_is_replaced_and_nothing_else(self, store: SpanStore) -> None:
        """After pricing anew the span is what it was, but for its cost."""
        stored(store, make.span(1, 1, kind="llm", cost=5, tokens=7, input="hello"))
        (call,) = _calls(store)
        before = store.get_span("default", call.trace_id, call.span_id)
        assert store.reprice("default", [_change(call)]) == 1
        assert before is not None

        assert store.get_span("default", call.trace_id, call.span_id) == msgspec.structs.replace(before, cost=_NEW)

    def test_a_cost_that_is_another_by_now_is_left(self, store: SpanStore) -> None:
        """What was priced in between by a merge is not overwritten with what was worked out before it."""
        stored(store, make.span(1, 1, kind="llm", cost=5))
        (call,) = _calls(store)
        stored(store, make.span(1, 1, kind="llm", cost=6))

        assert store.reprice("default", [_change(call)]) == 0
        assert _calls(store)[0].cost != _NEW

    def test_sums_follow(self, store: SpanStore) -> None:
        """The overview sums what the costs are now."""
        stored(store, make.span(1, 1, kind="llm", cost=5))
        store.reprice("default", [_change(one) for one in _calls(store)])
        figures = store.overview("default", since=START - 10**12, until=START + 10**15)

        assert figures.cost_nano_usd == 10

    def test_another_project_is_untouched(self, store: SpanStore) -> None:
        """A change named in another project finds nothing there."""
        stored(store, make.span(1, 1, kind="llm", cost=5))
        (call,) = _calls(store)

        assert store.reprice("other", [_change(call)]) == 0
        assert store.priced_spans("other", SpanFilter()).items == ()


class CostByHour:
    """What `hours` promises."""

    def test_nothing_is_no_hour(self, store: SpanStore) -> None:
        """An empty store, a window without calls and a source nobody has give no rows."""
        stored(store, make.span(1, 1, kind="llm", cost=5))

        assert store.hours(since=0, until=START, source="") == ()
        assert store.hours(since=0, until=_FAR, source="other") == ()

    def test_calls_are_summed_by_hour_source_and_project(self, store: SpanStore) -> None:
        """Calls of an hour are one row a project and source; tools and calls outside the window are in none."""
        hour = START - START % _HOUR + _HOUR
        at = (hour - START) / SECOND
        stored(
            store,
            make.span(1, 1, kind="llm", cost=5, tokens=7, at=at),
            make.span(1, 2, kind="embedding", cost=6, tokens=1, at=at + 3_599),
            make.span(1, 3, kind="tool", cost=7, at=at),
            make.span(1, 4, kind="llm", cost=8, at=at + 3_600),
            make.span(1, 5, kind="llm", cost=9, at=at - 1),
            Maker("other").span(2, 1, kind="llm", cost=10, at=at),
        )
        found = store.hours(since=hour, until=hour + 2 * _HOUR, source="ta")

        assert [(one.project, one.start, one.source, one.currency) for one in found] == [
            ("default", hour, "table", "USD"), ("other", hour, "table", "USD"), ("default", hour + _HOUR, "table", "USD"),
        ]  # fmt: skip
        assert [(one.calls, one.unpriced, one.cost_nano, one.cost_nano_usd) for one in found] == [
            (2, 0, 11, 11), (1, 0, 10, 10), (1, 0, 8, 8),
        ]  # fmt: skip
        assert (found[0].input_tokens, found[0].output_tokens) == (8, 2)

    def test_calls_without_an_amount_are_counted(self, store: SpanStore) -> None:
        """A call whose source has named no amount is counted as unpriced, and the sum without any is None."""
        stored(store, make.span(1, 1, kind="llm", cost=5))
        waiting = Cost(state="unpriced", source="hourly x")
        store.reprice("default", [_change(one, waiting) for one in _calls(store)])
        (found,) = store.hours(since=0, until=_FAR, source="hourly ")

        assert (found.source, found.calls, found.unpriced, found.cost_nano) == ("hourly x", 1, 1, None)


class PricingKept:
    """What survives."""

    @needs("survives_restart")
    def test_a_new_cost_is_durable(self, backend: Backend) -> None:
        """A cost priced anew is there after the store was closed and opened."""
        first = backend.open()
        stored(first, make.span(1, 1, kind="llm", cost=5))
        first.reprice("default", [_change(one) for one in _calls(first)])
        first.close()

        assert _calls(backend.open())[0].cost == _NEW
