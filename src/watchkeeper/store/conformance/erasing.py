"""What is erased is gone, all of it, and stays gone; what is not selected is untouched."""

from __future__ import annotations

from watchkeeper.store.api import ErasureReport, Selector, SpanFilter, SpanStore, TraceFilter, WriteBatch
from watchkeeper.store.conformance.samples import Maker, log_of, score_of, stored, stored_logs, stored_scores
from watchkeeper.store.conformance.support import Backend, eventually, needs

__all__ = ["ErasedForGood", "Erasing"]

make = Maker()


def _trace(number: int) -> str:
    return f"{number:032x}"


def _left(store: SpanStore) -> set[int]:
    return {int(row.trace_id, 16) for row in store.list_traces("default", TraceFilter(), limit=500).items}


class Erasing:
    """By user, session and trace."""

    def test_nothing_selected_erases_nothing(self, store: SpanStore) -> None:
        """An empty selector, and one that matches nothing, leave everything."""
        stored(store, make.span(1, 1, user_id="u"))
        assert store.erase("default", Selector()) == ErasureReport()
        assert store.erase("default", Selector(users=("nobody",), sessions=("none",))) == ErasureReport()
        assert store.stats().spans == 1

    def test_a_dry_run_counts_and_leaves(self, store: SpanStore) -> None:
        """With dry_run the report is that of the erasure, and nothing is gone."""
        stored(store, make.span(1, 1, user_id="u"), make.span(1, 2, parent=1, at=3))
        wanted = Selector(users=("u",))
        report = store.erase("default", wanted, dry_run=True)
        assert store.stats().spans == 2
        assert report == store.erase("default", wanted)
        assert (report.traces, report.spans) == (1, 2)
        assert store.stats().spans == 0

    def test_a_user_goes_with_whole_traces(self, store: SpanStore) -> None:
        """A trace with one span of the user goes whole, at whatever moment its facts are copied; others stay."""
        stored(store, make.span(1, 1, parent=9), make.span(1, 2, parent=1, user_id="u"), make.span(2, 1, user_id="v"))
        report = store.erase("default", Selector(users=("u",)))
        assert (report.traces, report.spans) == (1, 2)
        assert _left(store) == {2}
        assert store.get_span("default", _trace(1), f"{1:016x}") is None
        assert store.get_trace("default", _trace(1)) is None

    def test_any_of_several_names(self, store: SpanStore) -> None:
        """Users, sessions and traces of one selector add up."""
        stored(store, *(make.span(n, 1, user_id=f"u{n}", session_id=f"s{n}") for n in range(1, 7)))
        chosen = Selector(users=("u1", "u2"), sessions=("s3",), traces=(_trace(4), _trace(99)))
        assert store.erase("default", chosen).traces == 4
        assert _left(store) == {5, 6}

    def test_scores_go_too(self, store: SpanStore) -> None:
        """Scores of erased traces go, and scores on a session of which nothing is left; others stay."""
        stored(store, make.span(1, 1, session_id="a"), make.span(2, 1, session_id="b"), make.span(3, 1, session_id="b"))
        stored_scores(
            store,
            score_of(1, trace_id=_trace(1)), score_of(2, trace_id=_trace(2)), score_of(3, session_id="a"),
            score_of(4, session_id="b"), score_of(5),
        )  # fmt: skip
        report = store.erase("default", Selector(traces=(_trace(1), _trace(2))))
        assert report.scores == 3
        assert [one.id for one in store.list_scores("default").items] == ["score-0005", "score-0004"]
        assert store.erase("default", Selector(sessions=("b",))).scores == 1
        assert store.stats().scores == 1

    def test_waiting_logs_go_too(self, store: SpanStore) -> None:
        """Log records that wait for a span go with their trace, and by the user they name themselves."""
        early = make.span(1, 1)
        stored_logs(store, log_of(early, "a"), log_of(make.span(2, 1), "b", **{"user.id": "u"}))
        assert store.erase("default", Selector(traces=(_trace(1),))).pending_logs == 1
        assert store.erase("default", Selector(users=("u",))).pending_logs == 1
        assert store.stats().pending_logs == 0

    def test_other_projects_stay(self, store: SpanStore) -> None:
        """The same user, session and trace id of another project are untouched."""
        other = Maker("other")
        stored(store, make.span(1, 1, user_id="u", session_id="s"), other.span(1, 1, user_id="u", session_id="s"))
        stored_scores(store, score_of(1, project="other", trace_id=_trace(1)))
        store.erase("default", Selector(users=("u",), sessions=("s",), traces=(_trace(1),)))
        assert store.get_span("other", _trace(1), f"{1:016x}") is not None
        assert len(store.list_scores("other").items) == 1
        assert stored(store, other.span(1, 2)).outcomes == ("inserted",)

    def test_it_comes_after_what_was_submitted(self, store: SpanStore) -> None:
        """A batch submitted before is erased, though nobody waited for it."""
        for number in range(1, 40):
            future = store.submit(WriteBatch(spans=(make.span(number, 1, at=number, user_id="u"),)))
        assert store.erase("default", Selector(users=("u",))).traces == 39
        assert future.done()

    def test_counts_and_figures_follow(self, store: SpanStore) -> None:
        """Statistics, facets and lists no longer know it, and the revision has grown."""
        stored(store, make.span(1, 1, user_id="u", model="m", kind="llm"), make.span(2, 1, at=1, service="kept"))
        before = store.stats()
        store.erase("default", Selector(users=("u",)))
        after = store.stats()
        assert (after.spans, after.revision > before.revision) == (1, True)
        found = store.facets("default", since=0, until=2**62)
        assert (found.users, found.models, found.services) == ((), (), ("kept",))


class ErasedForGood:
    """A late resend brings nothing back."""

    def test_a_resend_is_dropped(self, store: SpanStore) -> None:
        """Spans, log records and scores of an erased trace are taken, dropped and reported; their neighbours stored."""
        stored(store, make.span(1, 1, user_id="u"))
        store.erase("default", Selector(users=("u",)))
        receipt = stored(store, make.span(2, 1), make.span(1, 1, user_id="u"), make.span(3, 1), make.span(1, 2))
        assert receipt.outcomes == ("inserted", "erased", "inserted", "erased")
        stored_logs(store, log_of(make.span(1, 1), "late"), log_of(make.span(2, 1), "kept"))
        stored_scores(store, score_of(1, trace_id=_trace(1)), score_of(2, trace_id=_trace(2)))
        stats = store.stats()
        assert (stats.spans, stats.scores, stats.pending_logs) == (2, 1, 0)
        assert _left(store) == {2, 3}

    def test_a_packed_resend_is_dropped(self, store: SpanStore) -> None:
        """It is the same for spans that were packed before."""
        stored(store, make.span(1, 1))
        store.erase("default", Selector(traces=(_trace(1),)))
        packed = store.pack((make.span(1, 1), make.span(2, 1), make.span(1, 2)))
        assert store.submit(packed).result(30).outcomes == ("erased", "inserted", "erased")
        assert store.stats().spans == 1

    def test_a_trace_erased_by_name_before_it_came(self, store: SpanStore) -> None:
        """Erasing a trace by its id holds for what is still on its way, though nothing of it is stored."""
        assert store.erase("default", Selector(traces=(_trace(1),))) == ErasureReport()
        assert stored(store, make.span(1, 1)).outcomes == ("erased",)

    def test_new_traces_of_the_user_are_new_data(self, store: SpanStore) -> None:
        """The user may come again: another trace of theirs is stored."""
        stored(store, make.span(1, 1, user_id="u"))
        store.erase("default", Selector(users=("u",)))
        assert stored(store, make.span(2, 1, user_id="u")).outcomes == ("inserted",)

    @needs("survives_restart")
    def test_across_restarts(self, backend: Backend) -> None:
        """Erased rows are gone after reopening, and what comes for them is still dropped."""
        store = backend.open()
        stored(store, make.span(1, 1, user_id="u"), make.span(2, 1, at=1))
        stored(store, make.span(1, 2, parent=1))
        store.erase("default", Selector(users=("u",)))
        revision = store.stats().revision
        store.close()
        again = backend.open()
        assert again.stats().spans == 1
        assert again.stats().revision >= revision
        assert stored(again, make.span(1, 1, user_id="u")).outcomes == ("erased",)
        assert len(list(again.scan_spans("default", SpanFilter()))) == 1

    def test_facts_of_an_erased_trace_are_not_copied(self, store: SpanStore) -> None:
        """Facts that were due when their trace was erased harm nothing; others are still copied."""
        stored(store, make.span(1, 2, parent=1), make.span(2, 2, parent=1))
        stored(store, make.span(1, 1, session_id="s"), make.span(2, 1, session_id="t"))
        store.erase("default", Selector(traces=(_trace(1),)))

        def copied() -> bool:
            found = store.get_span("default", _trace(2), f"{2:016x}")
            return found is not None and found.session_id == "t"

        assert eventually(copied)
        assert store.stats().spans == 2
