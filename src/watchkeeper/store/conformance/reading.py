"""Lists of spans and scores: order, paging, filters, emptiness, isolation."""

from __future__ import annotations

from itertools import chain
from typing import Any

from watchkeeper.kit.errors import RequestError
from watchkeeper.model import Span
from watchkeeper.store.api import SessionFilter, SpanFilter, SpanStore, TraceFilter
from watchkeeper.store.conformance.samples import SECOND, START, Maker, score_of, stored, stored_scores
from watchkeeper.store.conformance.support import ids, pages, refused

__all__ = ["Emptiness", "Isolation", "Scores", "Sessions", "SpanLists"]

make = Maker()


class Emptiness:
    """Nothing found is not an error; nonsense is."""

    def test_nothing_is_an_empty_page(self, store: SpanStore) -> None:
        """Lists of an empty store are empty pages, without a cursor."""
        for page in (
            store.list_traces("default", TraceFilter()),
            store.list_spans("default", SpanFilter()),
            store.list_spans("default", SpanFilter(trace_id="a" * 32)),
            store.list_scores("default"),
        ):
            assert (page.items, page.next_cursor) == ((), None)

    def test_nothing_is_none(self, store: SpanStore) -> None:
        """A span or a trace that is not there is None, and a scan yields nothing."""
        assert store.get_span("default", "a" * 32, "b" * 16) is None
        assert store.get_trace("default", "a" * 32) is None
        assert list(store.scan_spans("default", SpanFilter())) == []

    def test_bad_cursor_is_refused(self, store: SpanStore) -> None:
        """A cursor that the listing did not give is a RequestError."""
        stored(store, *(make.span(n, 1, at=n) for n in range(3)))
        spans = store.list_spans("default", SpanFilter(), limit=1).next_cursor
        for cursor in ("nonsense", "", "ü", spans):
            with refused(RequestError):
                store.list_traces("default", TraceFilter(), cursor=cursor)
        with refused(RequestError):
            store.list_spans("default", SpanFilter(), cursor="bm90IGpzb24")
        with refused(RequestError):
            store.list_scores("default", cursor=spans)


class Isolation:
    """No method shows another project's rows."""

    def test_every_read(self, store: SpanStore) -> None:
        """Every read of one project shows nothing of another, not even by id."""
        theirs = Maker("other")
        stored(store, theirs.span(1, 1, kind="llm", model="m", user_id="u"))
        stored_scores(store, score_of(1, project="other", trace_id=f"{1:032x}"))
        span = theirs.span(1, 1)
        assert store.get_span("default", span.trace_id, span.span_id) is None
        assert store.get_trace("default", span.trace_id) is None
        assert ids(store.list_traces("default", TraceFilter())) == []
        assert ids(store.list_spans("default", SpanFilter(trace_id=span.trace_id))) == []
        assert list(store.scan_spans("default", SpanFilter())) == []
        assert ids(store.list_scores("default", trace_id=span.trace_id)) == []
        overview = store.overview("default", since=START, until=START + SECOND)
        assert (overview.traces, overview.requests) == (0, 0)
        assert store.facets("default", since=START, until=START + SECOND).models == ()

    def test_a_shared_trace_id(self, store: SpanStore) -> None:
        """Two projects may use one trace id; each sees its own spans of it."""
        stored(store, make.span(1, 1), Maker("other").span(1, 2), Maker("other").span(1, 3))
        trace = store.get_trace("default", f"{1:032x}")
        assert trace is not None
        assert trace.spans == 1
        assert [row.spans for row in store.list_traces("default", TraceFilter()).items] == [1]


class SpanLists:
    """Spans, newest first or oldest first, page by page."""

    def test_order(self, store: SpanStore) -> None:
        """Newest first by start, then ids, descending; `oldest_first` is the exact reverse."""
        stored(store, make.span(1, 2), make.span(2, 1), make.span(1, 1), make.span(1, 3, at=-1), make.span(1, 4, at=1))
        keys = [(row.trace_id, row.span_id) for row in store.list_spans("default", SpanFilter()).items]
        expected = [(1, 4), (2, 1), (1, 2), (1, 1), (1, 3)]
        assert keys == [(f"{trace:032x}", f"{span:016x}") for trace, span in expected]
        turned = store.list_spans("default", SpanFilter(), oldest_first=True).items
        assert [(row.trace_id, row.span_id) for row in turned] == keys[::-1]

    def test_pages_hold_every_row_once(self, store: SpanStore) -> None:
        """Page after page, both ways round, every span is there once and in order, ties included."""
        stored(store, *(make.span(n % 3 + 1, n + 1, at=n // 4) for n in range(23)))
        whole = [row.span_id for row in store.list_spans("default", SpanFilter(), limit=100).items]
        for oldest_first in (False, True):
            read = [
                [row.span_id for row in items]
                for items in pages(
                    lambda cursor, way=oldest_first: store.list_spans(  # type: ignore[misc]
                        "default", SpanFilter(), limit=4, cursor=cursor, oldest_first=way
                    )
                )
            ]
            assert [len(page) for page in read] == [4, 4, 4, 4, 4, 3]
            assert list(chain.from_iterable(read)) == (whole[::-1] if oldest_first else whole)

    def test_a_full_last_page_has_no_cursor(self, store: SpanStore) -> None:
        """When the rows end with the page there is no next cursor."""
        stored(store, *(make.span(1, n + 1, at=n) for n in range(4)))
        assert store.list_spans("default", SpanFilter(), limit=4).next_cursor is None

    def test_new_rows_do_not_disturb_paging(self, store: SpanStore) -> None:
        """Spans that arrive between pages neither push rows onto the next page nor off it."""
        stored(store, *(make.span(1, n + 1, at=n) for n in range(6)))
        first = store.list_spans("default", SpanFilter(), limit=3)
        stored(store, make.span(9, 99, at=50), make.span(9, 98, at=51))
        second = store.list_spans("default", SpanFilter(), limit=3, cursor=first.next_cursor)
        assert [int(one, 16) for one in ids(first) + ids(second)] == [6, 5, 4, 3, 2, 1]

    def test_filters(self, store: SpanStore) -> None:
        """Every given field must hold; `since` is inclusive, `until` exclusive."""
        stored(
            store,
            make.span(1, 1, service="a", environment="prod", kind="llm", model="m", user_id="u", session_id="s"),
            make.span(2, 2, at=1, service="b", status="error"),
            make.span(3, 3, at=2),
        )

        def found(**fields: object) -> list[int]:
            where = SpanFilter(**fields)  # type: ignore[arg-type]
            return [int(one, 16) for one in ids(store.list_spans("default", where))]

        assert found(service="a") == [1]
        assert found(environment="prod", kind="llm", model="m", user_id="u", session_id="s") == [1]
        assert found(service="a", status="error") == []
        assert found(status="error") == [2]
        assert found(trace_id=f"{3:032x}") == [3]
        assert found(since=START + SECOND, until=START + 2 * SECOND) == [2]

    def test_text(self, store: SpanStore) -> None:
        """Text is a case-insensitive substring of name, input or output, its wildcards and quotes taken literally."""
        stored(
            store,
            make.span(1, 1, input='He said "Hello\nWorld"'),
            make.span(1, 2, output="100% of a_b"),
            make.span(1, 3, input="100 of axb"),
        )

        def found(text: str) -> list[int]:
            rows = store.list_spans("default", SpanFilter(text=text), oldest_first=True)
            return [int(one, 16) for one in ids(rows)]

        assert found('said "hello\nwORLD"') == [1]
        assert found("100%") == [2]
        assert found("a_b") == [2]
        assert found("SPAN 3") == [3]
        assert found("parts") == []
        assert found("\\") == []

    def test_rows_have_previews(self, store: SpanStore) -> None:
        """A row carries one line of input and output, tokens and cost, not the content."""
        stored(store, make.span(1, 1, kind="llm", model="m", tokens=7, cost=9, input="two\nlines", output="x" * 500))
        row = store.list_spans("default", SpanFilter()).items[0]
        assert (row.input, len(row.output)) == ("two lines", 240)
        assert (row.input_tokens, row.cost_nano_usd, row.cost_state) == (7, 9, "computed")

    def test_scan_streams_oldest_first(self, store: SpanStore) -> None:
        """A scan yields whole spans, oldest first, past the size of one read, each once."""
        stored(store, *(make.span(1, n + 1, at=n // 7, depth=n) for n in range(1_234)))
        scanned = [span.raw.attributes["depth"] for span in store.scan_spans("default", SpanFilter())]
        assert scanned == list(range(1_234))


class Scores:
    """Scores are replaced by id, and listed newest first."""

    def test_same_id_replaces(self, store: SpanStore) -> None:
        """The same id again replaces the score, in the same batch or later, though its time moved."""
        stored_scores(store, score_of(1, value=0.1), score_of(1, value=0.2))
        stored_scores(store, score_of(1, value=0.3, label="good", time=START + 99))
        assert store.list_scores("default").items == (score_of(1, value=0.3, label="good", time=START + 99),)
        assert store.stats().scores == 1

    def test_ids_are_the_projects_own(self, store: SpanStore) -> None:
        """The same id in two projects is two scores."""
        stored_scores(store, score_of(1), score_of(1, project="other"))
        assert store.stats().scores == 2

    def test_lists(self, store: SpanStore) -> None:
        """Scores are newest first, page by page, and filtered by trace, span and name."""
        stored_scores(
            store,
            *(score_of(n, trace_id=f"{n % 2:032x}", span_id="c" * 16, name=f"n{n % 3}") for n in range(9)),
        )
        read = list(pages(lambda cursor: store.list_scores("default", limit=4, cursor=cursor)))
        assert [[int(one.id[-4:]) for one in page] for page in read] == [[8, 7, 6, 5], [4, 3, 2, 1], [0]]
        where = store.list_scores("default", trace_id=f"{1:032x}", span_id="c" * 16, name="n1")
        assert [int(one.id[-4:]) for one in where.items] == [7, 1]


class Sessions:
    """Sessions by when they began."""

    def test_none_is_there(self, store: SpanStore) -> None:
        """Spans without a session make none, and neither do those of another project."""
        stored(store, make.span(1, 1), Maker("other").span(2, 1, session_id="s"))
        assert store.list_sessions("default") == ((), 0)

    def test_the_newest_first(self, store: SpanStore) -> None:
        """A session begins with its earliest span, in whichever trace; its environment is the earliest one named."""
        stored(
            store,
            make.span(1, 1, at=5, session_id="a", environment="late"), make.span(2, 1, at=1, session_id="a"),
            make.span(2, 2, at=3, session_id="a", environment="early"), make.span(3, 1, at=2, session_id="b"),
        )  # fmt: skip
        rows, total = store.list_sessions("default")
        assert [(one.session_id, one.start, one.environment) for one in rows] == [
            ("b", START + 2 * SECOND, None), ("a", START + SECOND, "early"),
        ]  # fmt: skip
        assert total == 2

    def test_pages_and_windows(self, store: SpanStore) -> None:
        """A page past the end is empty and knows the number; times and environments leave out what is not theirs."""
        where = ("", "prod", "", "prod", "")
        stored(store, *(_of_session(n, at) for n, at in enumerate(where)))

        def ask(*, offset: int = 0, limit: int = 50, **where: Any) -> tuple[list[str], int]:
            rows, total = store.list_sessions("default", SessionFilter(**where), offset=offset, limit=limit)
            return [one.session_id for one in rows], total

        assert ask(offset=1, limit=2) == (["s3", "s2"], 5)
        assert ask(offset=9, limit=2) == ([], 5)
        assert ask(since=START + SECOND, until=START + 3 * SECOND) == (["s2", "s1"], 2)
        assert ask(environments=("prod",)) == (["s3", "s1"], 2)
        assert ask(environments=(None,), limit=1) == (["s4"], 3)
        assert ask(environments=(None, "prod"), offset=8) == ([], 5)
        assert ask(environments=("nowhere",)) == ([], 0)


def _of_session(number: int, environment: str) -> Span:
    if not environment:
        return make.span(number, 1, at=number, session_id=f"s{number}")
    return make.span(number, 1, at=number, session_id=f"s{number}", environment=environment)
