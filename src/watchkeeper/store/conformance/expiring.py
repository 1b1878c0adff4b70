"""Deleting by age, and giving the space back."""

from __future__ import annotations

from watchkeeper.store.api import ExpiryReport, Selector, ServiceRow, SpanFilter, SpanStore
from watchkeeper.store.conformance.samples import (
    SECOND,
    START,
    Maker,
    log_of,
    score_of,
    stored,
    stored_logs,
    stored_scores,
)
from watchkeeper.store.conformance.support import Backend, eventually, needs

__all__ = ["Expiring", "Reclaiming", "ReclaimingForGood"]

make = Maker()


def _trace(number: int) -> str:
    return f"{number:032x}"


def _left(store: SpanStore) -> list[tuple[int, int]]:
    spans = store.scan_spans("default", SpanFilter())
    return sorted((int(span.trace_id, 16), int(span.span_id, 16)) for span in spans)


class Expiring:
    """The oldest first, a bounded number at a time."""

    def test_an_empty_store(self, store: SpanStore) -> None:
        """Nothing to expire is an empty report, and there are no services."""
        assert store.expire("default", "s", 2**62) == ExpiryReport()
        assert store.services() == ()

    def test_by_age_and_service(self, store: SpanStore) -> None:
        """Only spans of that service and project that started before the time go; the time itself is kept."""
        stored(store, *(make.span(n, 1, at=n, service="a") for n in (1, 2, 3)))
        stored(store, make.span(4, 1, at=1, service="b"), Maker("other").span(5, 1, at=1, service="a"))
        assert store.expire("default", "a", START + 3 * SECOND).spans == 2
        assert _left(store) == [(3, 1), (4, 1)]
        assert store.services() == (
            ServiceRow(project="default", service="a", oldest=START + 3 * SECOND),
            ServiceRow(project="default", service="b", oldest=START + SECOND),
            ServiceRow(project="other", service="a", oldest=START + SECOND),
        )

    def test_in_steps(self, store: SpanStore) -> None:
        """Each step takes about so many and says whether there are more; it ends."""
        stored(store, *(make.span(n, 1, at=n // 2, service="a") for n in range(1, 41)))
        steps: list[ExpiryReport] = []
        while not steps or steps[-1].more:
            steps.append(store.expire("default", "a", START + 15 * SECOND, most=7))
        assert all(0 < step.spans <= 7 + 2 for step in steps)
        assert sum(step.spans for step in steps) == 29
        assert store.stats().spans == 11

    def test_scores_and_logs_go_with_the_last_span(self, store: SpanStore) -> None:
        """While a span of the trace is left they stay; then they go; those of others never."""
        stored(store, make.span(1, 1, at=1, service="a"), make.span(1, 2, at=2, service="b"), make.span(2, 1, at=9))
        stored_scores(store, score_of(1, trace_id=_trace(1)), score_of(2, trace_id=_trace(2)), score_of(3))
        stored_logs(store, log_of(make.span(1, 7), "waits"))
        assert store.expire("default", "a", START + 5 * SECOND) == ExpiryReport(spans=1)
        assert store.expire("default", "b", START + 5 * SECOND) == ExpiryReport(spans=1, scores=1, pending_logs=1)
        stats = store.stats()
        assert (stats.spans, stats.scores, stats.pending_logs) == (1, 2, 0)

    def test_it_may_come_again(self, store: SpanStore) -> None:
        """What is sent again after it expired is stored again: it is not marked as erased."""
        stored(store, make.span(1, 1, service="a"))
        store.expire("default", "a", START + SECOND)
        assert stored(store, make.span(1, 1, service="a")).outcomes == ("inserted",)
        assert stored(store, make.span(1, 1, service="a")).outcomes == ("unchanged",)


class Reclaiming:
    """Space comes back; nothing else changes."""

    def test_everything_is_as_it_was(self, store: SpanStore) -> None:
        """After reclaiming every span, score and waiting log is there, identity goes on, and writes go on."""
        stored(store, *(make.span(n, 1, at=n, model="m", text="x" * 50) for n in range(1, 200)))
        stored(store, make.span(1, 2, parent=1), make.span(1, 1, at=1, amended=True))
        stored_scores(store, *(score_of(n, trace_id=_trace(n)) for n in range(1, 50)))
        stored_logs(store, log_of(make.span(500, 1), "waits"))
        store.erase("default", Selector(traces=(_trace(7),)))
        before, spans = store.stats(), list(store.scan_spans("default", SpanFilter()))
        store.reclaim(force=True)
        after = store.stats()
        assert spans == list(store.scan_spans("default", SpanFilter()))
        assert (before.spans, before.scores, before.pending_logs) == (after.spans, after.scores, after.pending_logs)
        assert after.reclaim_due is None
        assert stored(store, make.span(2, 1, at=2, model="m", text="x" * 50)).outcomes == ("unchanged",)
        assert stored(store, make.span(2, 1, at=2, other=1), make.span(7, 1)).outcomes == ("merged", "erased")
        stored(store, make.span(500, 1, at=900))
        found = store.get_span("default", _trace(500), f"{1:016x}")
        assert found is not None
        assert [log.body for log in found.raw.logs] == ["waits"]
        stored(store, make.span(1, 9, parent=1, user_id="late"))

        def copied() -> bool:
            one = store.get_span("default", _trace(1), f"{2:016x}")
            return one is not None and one.user_id == "late"

        assert eventually(copied)

    def test_an_empty_store_can_be_reclaimed(self, store: SpanStore) -> None:
        """There is nothing to gain, and nothing breaks."""
        store.reclaim(force=True)
        assert stored(store, make.span(1, 1)).outcomes == ("inserted",)


class ReclaimingForGood:
    """It holds after reopening."""

    @needs("survives_restart")
    def test_across_restarts(self, backend: Backend) -> None:
        """What was stored before and after reclaiming is there after reopening, and erased traces stay away."""
        store = backend.open()
        stored(store, *(make.span(n, 1, at=n, user_id=f"u{n % 2}") for n in range(1, 100)))
        store.erase("default", Selector(users=("u1",)))
        store.reclaim()
        stored(store, make.span(200, 1, at=200))
        store.close()
        again = backend.open()
        assert again.stats().spans == 50
        assert again.stats().reclaim_due is None
        assert stored(again, make.span(1, 1, at=1), make.span(200, 1, at=200)).outcomes == ("erased", "unchanged")
