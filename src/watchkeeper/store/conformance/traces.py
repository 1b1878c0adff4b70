"""Traces: summaries, filters, order and paging by the start of the earliest span."""

from __future__ import annotations

from watchkeeper.store.api import SpanStore, TraceFilter, TraceRow
from watchkeeper.store.conformance.samples import SECOND, START, Maker, stored
from watchkeeper.store.conformance.support import pages

__all__ = ["TraceLists", "TraceSummaries"]

make = Maker()


def _numbers(items: tuple[TraceRow, ...]) -> list[int]:
    return [int(row.trace_id, 16) for row in items]


class TraceSummaries:
    """One row stands for a trace."""

    def test_figures(self, store: SpanStore) -> None:
        """Times span the trace; tokens and cost are summed over model calls only; errors and unpriced are counted."""
        stored(
            store,
            make.span(1, 1, at=0, takes=9, kind="agent", tokens=1_000, cost=1_000, service="bot", environment="prod"),
            make.span(1, 2, parent=1, at=1, kind="llm", model="b", tokens=10, cost=7, status="error"),
            make.span(1, 3, parent=1, at=8, takes=5, kind="llm", model="a", tokens=20),
            make.span(1, 4, parent=1, at=2, kind="embedding", model="a", cost=1),
        )
        row = store.get_trace("default", f"{1:032x}")
        assert row is not None
        assert (row.start_time, row.duration_ns) == (START, 13 * SECOND)
        assert (row.spans, row.calls, row.errors, row.unpriced) == (4, 3, 1, 1)
        assert (row.input_tokens, row.output_tokens, row.cost_nano_usd) == (30, 2, 8)
        assert (row.models, row.status, row.service, row.environment) == (("a", "b"), "ok", "bot", "prod")
        assert store.list_traces("default", TraceFilter()).items == (row,)

    def test_what_was_masked_is_summed(self, store: SpanStore) -> None:
        """The counts on a trace's spans are summed; a text that only looks like one is not."""
        fake = '{"watchkeeper.masked.email":5}'
        stored(
            store,
            make.span(1, 1, **{"watchkeeper.masked.email": 2, "watchkeeper.masked.private_key": 1}),
            make.span(
                1, 2, parent=1, input=fake, note=f"watchkeeper.masked. {fake}", **{"watchkeeper.masked.email": 4}
            ),
            make.span(2, 3),
        )
        assert [row.masked for row in store.list_traces("default", TraceFilter()).items] == [0, 7]

    def test_unpriced_is_none(self, store: SpanStore) -> None:
        """Without a priced call the cost is None, never 0."""
        stored(store, make.span(1, 1, kind="llm", model="m"))
        row = store.get_trace("default", f"{1:032x}")
        assert row is not None
        assert (row.cost_nano_usd, row.unpriced) == (None, 1)

    def test_entry_is_the_root(self, store: SpanStore) -> None:
        """Name, input, output and status are the root's, though a child began earlier."""
        stored(
            store,
            make.span(1, 2, parent=1, at=-1, input="child", status="error"),
            make.span(1, 1, at=0, input="root", output="answer", tags=["t"], user_id="u", session_id="s"),
        )
        row = store.get_trace("default", f"{1:032x}")
        assert row is not None
        assert (row.name, row.input, row.output, row.status) == ("span 1", "root", "answer", "ok")
        assert (row.start_time, row.tags, row.user_id, row.session_id) == (START - SECOND, ("t",), "u", "s")

    def test_a_silent_root_shows_its_calls(self, store: SpanStore) -> None:
        """Where the root has no content, the first input and the last model call's output stand in the list."""
        stored(
            store,
            make.span(1, 1, at=0),
            make.span(1, 2, parent=1, at=1, kind="llm", input="question", output="draft"),
            make.span(1, 3, parent=1, at=2, kind="llm", input="again", output="answer"),
            make.span(1, 4, parent=1, at=3, kind="tool", output="tool's"),
        )
        row = store.get_trace("default", f"{1:032x}")
        assert row is not None
        assert (row.input, row.output) == ("question", "answer")

    def test_a_trace_without_its_root(self, store: SpanStore) -> None:
        """A trace whose root never arrived is listed, under its earliest span."""
        stored(store, make.span(1, 3, parent=9, at=2), make.span(1, 2, parent=9, at=1, status="error"))
        (row,) = store.list_traces("default", TraceFilter()).items
        assert (row.name, row.status) == ("span 2", "error")


class TraceLists:
    """Newest first by start, exact at the edges of pages."""

    def test_order_is_by_the_earliest_span(self, store: SpanStore) -> None:
        """A long trace stands where it began, however late its last span."""
        stored(store, make.span(1, 1, at=0), make.span(2, 2, at=1), make.span(3, 3, at=1), make.span(1, 4, at=100))
        assert _numbers(store.list_traces("default", TraceFilter()).items) == [3, 2, 1]

    def test_pages_hold_every_trace_once(self, store: SpanStore) -> None:
        """Page after page every trace is there once, though traces overlap and some hold many spans."""
        for number in range(40):
            size = 1 + (number * 7) % 60
            stored(
                store,
                make.span(number + 1, 1, at=number // 2),
                *(make.span(number + 1, n + 2, parent=1, at=number // 2 + n * 1.5) for n in range(size)),
            )
        read = list(pages(lambda cursor: store.list_traces("default", TraceFilter(), limit=7, cursor=cursor)))
        assert [len(page) for page in read] == [7, 7, 7, 7, 7, 5]
        assert [number for page in read for number in _numbers(page)] == list(range(40, 0, -1))

    def test_spans_that_come_between_pages(self, store: SpanStore) -> None:
        """A trace does not move while it is paged through, though an earlier span of it arrives."""
        stored(store, *(make.span(n, 1, parent=9, at=n * 10) for n in range(1, 7)))
        first = store.list_traces("default", TraceFilter(), limit=3)
        stored(store, make.span(6, 9, at=15), make.span(2, 9, at=5), make.span(50, 1, at=900), make.span(51, 1, at=1))
        rest = [
            number
            for page in pages(
                lambda cursor: store.list_traces("default", TraceFilter(), limit=2, cursor=cursor or first.next_cursor)
            )
            for number in _numbers(page)
        ]
        assert _numbers(first.items) + rest == [6, 5, 4, 3, 2, 1]

    def test_times_are_those_of_the_start(self, store: SpanStore) -> None:
        """`since` (inclusive) and `until` (exclusive) bound the trace's start, not its spans'."""
        stored(
            store, make.span(1, 1, at=0), make.span(1, 2, parent=1, at=5), make.span(2, 1, at=5), make.span(3, 1, at=9)
        )
        where = TraceFilter(since=START + 5 * SECOND, until=START + 9 * SECOND)
        assert _numbers(store.list_traces("default", where).items) == [2]

    def test_any_span_may_match(self, store: SpanStore) -> None:
        """Service, model, user and text match on any span of the trace, each on its own."""
        stored(
            store,
            make.span(1, 1, service="web", user_id="u"),
            make.span(1, 2, parent=1, at=9, service="bot", kind="llm", model="m", output="needle"),
            make.span(2, 1, at=1, service="web"),
        )

        def found(**fields: object) -> list[int]:
            return _numbers(store.list_traces("default", TraceFilter(**fields)).items)  # type: ignore[arg-type]

        assert found(service="bot") == [1]
        assert found(service="web", model="m") == [1]
        assert found(text="NEEDLE", user_id="u") == [1]
        assert found(service="bot", text="nothing") == []
        assert found(service="web") == [2, 1]

    def test_status_is_the_entrys(self, store: SpanStore) -> None:
        """Status filters by the entry span, not by a failed child."""
        stored(
            store,
            make.span(1, 1), make.span(1, 2, parent=1, at=1, status="error"),
            make.span(2, 1, at=1, status="error"),
        )  # fmt: skip
        assert _numbers(store.list_traces("default", TraceFilter(status="error")).items) == [2]
        assert _numbers(store.list_traces("default", TraceFilter(status="ok")).items) == [1]

    def test_filtered_pages(self, store: SpanStore) -> None:
        """A filter that few traces match still pages through all of them."""
        stored(store, *(make.span(n, 1, at=n, model="rare" if n % 50 == 0 else "m", kind="llm") for n in range(1, 401)))
        read = list(
            pages(lambda cursor: store.list_traces("default", TraceFilter(model="rare"), limit=3, cursor=cursor))
        )
        assert [_numbers(page) for page in read] == [[400, 350, 300], [250, 200, 150], [100, 50]]
