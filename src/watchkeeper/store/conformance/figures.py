"""Overview and facets."""

from __future__ import annotations

from watchkeeper.store.api import SpanStore
from watchkeeper.store.conformance.samples import SECOND, START, Maker, stored

__all__ = ["Facets", "Overviews"]

make = Maker()


class Overviews:
    """Figures over model calls."""

    def test_of_nothing(self, store: SpanStore) -> None:
        """An empty window has zero counts, no percentiles, no cost, and all its buckets."""
        found = store.overview("default", since=START, until=START + 10 * SECOND, buckets=5)
        assert (found.traces, found.requests, found.cost_nano_usd, found.p50_ns) == (0, 0, None, None)
        assert [bucket.start for bucket in found.buckets] == [START + n * 2 * SECOND for n in range(5)]
        assert set(found.latency.counts) == {0}

    def test_percentiles_are_exact(self, store: SpanStore) -> None:
        """Percentiles are continuous ones over every call's duration, not estimates."""
        stored(store, *(make.span(n, 1, kind="llm", model="m", takes=n) for n in range(1, 101)))
        found = store.overview("default", since=START, until=START + SECOND)
        assert (found.p50_ns, found.p95_ns, found.p99_ns) == (50_500_000_000, 95_050_000_000, 99_010_000_000)

    def test_totals(self, store: SpanStore) -> None:
        """Only model calls in the window are counted, and the window ends before `until`."""
        stored(
            store,
            make.span(1, 1, kind="agent", tokens=99, cost=99, service="a"),
            make.span(1, 2, parent=1, kind="llm", model="m", provider="p", tokens=3, cost=5, takes=0.01, service="a"),
            make.span(2, 1, at=1, kind="embedding", model="e", status="error", takes=0.015, service="b"),
            make.span(3, 1, at=4, kind="llm", model="m", tokens=1_000),
        )
        found = store.overview("default", since=START, until=START + 4 * SECOND, buckets=2)
        assert (found.traces, found.requests, found.errors, found.unpriced) == (2, 2, 1, 1)
        assert (found.input_tokens, found.output_tokens, found.cost_nano_usd) == (3, 1, 5)
        assert [(row.provider, row.model, row.requests, row.cost_nano_usd) for row in found.models] == [
            ("p", "m", 1, 5), (None, "e", 1, None),
        ]  # fmt: skip
        assert [bucket.requests for bucket in found.buckets] == [2, 0]
        assert (found.latency.counts[:2], sum(found.latency.counts)) == ((1, 1), 2)
        assert len(found.latency.counts) == len(found.latency.bounds) + 1
        only = store.overview("default", since=START, until=START + 4 * SECOND, service="b")
        assert (only.traces, only.requests, only.cost_nano_usd) == (1, 1, None)

    def test_models_are_dearest_first(self, store: SpanStore) -> None:
        """Models come dearest first, then busiest; the unpriced last."""
        stored(
            store,
            make.span(1, 1, kind="llm", model="cheap", cost=1), make.span(1, 2, kind="llm", model="dear", cost=9),
            make.span(1, 3, kind="llm", model="free"), make.span(1, 4, kind="llm", model="busy"),
            make.span(1, 5, kind="llm", model="busy"),
        )  # fmt: skip
        found = store.overview("default", since=START, until=START + SECOND)
        assert [row.model for row in found.models] == ["dear", "cheap", "busy", "free"]


class Facets:
    """What there is to filter by."""

    def test_sorted_and_distinct(self, store: SpanStore) -> None:
        """Values are distinct, sorted and of the window alone."""
        stored(
            store,
            make.span(1, 1, service="b", environment="prod", user_id="u", model="m"),
            make.span(2, 1, service="a", model="m"),
            make.span(3, 1, at=9, service="later"),
        )
        found = store.facets("default", since=START, until=START + SECOND)
        assert (found.services, found.environments, found.models, found.users) == (
            ("a", "b"),
            ("prod",),
            ("m",),
            ("u",),
        )

    def test_at_most_two_hundred(self, store: SpanStore) -> None:
        """No more than 200 of each are returned."""
        stored(store, *(make.span(1, n + 1, user_id=f"u{n:04d}") for n in range(250)))
        users = store.facets("default", since=START, until=START + SECOND).users
        assert users == tuple(f"u{n:04d}" for n in range(200))
