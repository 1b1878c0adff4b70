"""Mapping anew: what is derived changes, and nothing else does."""

from __future__ import annotations

import msgspec

from watchkeeper.model import Span
from watchkeeper.store.api import Remapped, Selector, SpanFilter, SpanStore
from watchkeeper.store.conformance.samples import SECOND, Maker, refine, score_of, stored, stored_scores
from watchkeeper.store.conformance.support import Backend, eventually, needs, refused

__all__ = ["MappingAnew", "MappingKept"]

make = Maker()
_OLD = SpanFilter(mapper_before=2)


def _again(span: Span) -> Span:
    """Read what the plain mapper does, and the name of a tool besides."""
    mapped = refine(span.project, span.raw, span.received_at)
    return msgspec.structs.replace(mapped, mapper=2, tool_name=span.raw.attributes.get("tool"))


def _all(store: SpanStore, project: str = "default") -> list[Span]:
    return list(store.scan_spans(project, SpanFilter()))


def _remap(store: SpanStore, where: SpanFilter = _OLD, *, limit: int = 2, dry_run: bool = False) -> list[Remapped]:
    steps = [store.remap("default", where, _again, limit=limit, dry_run=dry_run)]
    while steps[-1].next_cursor is not None:
        steps.append(store.remap("default", where, _again, limit=limit, cursor=steps[-1].next_cursor, dry_run=dry_run))
    return steps


class MappingAnew:
    """What `remap` promises."""

    def test_an_empty_store_has_nothing_to_map(self, store: SpanStore) -> None:
        """Without spans a step finds none and is the last, and a count is 0."""
        assert _remap(store) == [Remapped()]
        assert store.count_spans("default", _OLD) == 0

    def test_what_is_derived_changes_and_nothing_else(self, store: SpanStore) -> None:
        """Each span is what it was, but for the mapper and the field that is read otherwise now; scores stay."""
        stored(
            store, make.span(1, 1, kind="llm", cost=5, tokens=7, input="hello", output="x"), make.span(2, 1, tool="t")
        )
        stored_scores(store, score_of(1, trace_id=f"{1:032x}"))
        before = _all(store)
        (step,) = _remap(store)

        assert (step.spans, step.changed, step.missed, step.fields) == (2, 1, 0, {"tool_name": 1})
        assert _all(store) == [
            msgspec.structs.replace(one, mapper=2, tool_name=one.raw.attributes.get("tool")) for one in before
        ]
        assert len(store.list_scores("default").items) == 1
        assert store.count_spans("default", _OLD) == 0

    def test_pages_meet_every_span_once(self, store: SpanStore) -> None:
        """Though each step takes its spans out of the filter, paging leaves out none; a second run finds none."""
        stored(store, *(make.span(number, 1, at=number, tool="t") for number in range(1, 8)))
        steps = _remap(store)

        assert [one.spans for one in steps] == [2, 2, 2, 1]
        assert sum(one.changed for one in steps) == 7
        assert _remap(store) == [Remapped()]

    def test_a_dry_run_writes_nothing(self, store: SpanStore) -> None:
        """It says what would change, and a second says the same."""
        stored(store, make.span(1, 1, tool="t"))
        before = _all(store)
        first, second = _remap(store, dry_run=True), _remap(store, dry_run=True)

        assert first == second
        assert first[0].changed == 1
        assert _all(store) == before

    def test_facts_follow(self, store: SpanStore) -> None:
        """A session that is read now reaches the trace's other spans, and one from another span is nobody's own."""
        stored(store, make.span(1, 1, who="s-1"), make.span(1, 2, parent=1, at=1))

        def again(span: Span) -> Span:
            return msgspec.structs.replace(_again(span), session_id=span.raw.attributes.get("who"))

        store.remap("default", _OLD, again)
        assert eventually(lambda: [one.session_id for one in _all(store)] == ["s-1", "s-1"])
        report = store.remap("default", SpanFilter(), again)

        assert report.changed == 0

    def test_a_start_may_move(self, store: SpanStore) -> None:
        """A span whose start is read otherwise is found at the new one, once."""
        stored(store, make.span(1, 1), make.span(2, 1, at=5))

        def again(span: Span) -> Span:
            return msgspec.structs.replace(_again(span), start_time=span.raw.start_time - 30 * SECOND)

        store.remap("default", _OLD, again)
        rows = store.list_spans("default", SpanFilter(trace_id=f"{2:032x}")).items

        assert [one.start_time for one in rows] == [make.span(2, 1, at=5).start_time - 30 * SECOND]
        assert store.stats().spans == len(_all(store)) == 2

    def test_what_comes_again_is_known(self, store: SpanStore) -> None:
        """A span that is sent once more after it was mapped anew is unchanged, and an amended one merges."""
        stored(store, make.span(1, 1, tool="t"))
        _remap(store)

        assert stored(store, make.span(1, 1, tool="t")).outcomes == ("unchanged",)
        assert stored(store, make.span(1, 1, more="x")).outcomes == ("merged",)
        assert store.stats().spans == 1

    def test_what_was_stored_meanwhile_is_left(self, store: SpanStore) -> None:
        """A span that is amended while it is mapped keeps what the amendment brought."""
        stored(store, make.span(1, 1, tool="t"))
        late = [make.span(1, 1, tool="u")]

        def again(span: Span) -> Span:
            while late:
                stored(store, late.pop())
            return _again(span)

        report = store.remap("default", _OLD, again)
        (found,) = _all(store)

        assert (report.missed, report.changed, found.raw.attributes["tool"]) == (1, 0, "u")

    def test_an_erased_span_does_not_come_back(self, store: SpanStore) -> None:
        """What is erased while it is mapped stays erased."""
        stored(store, make.span(1, 1, user_id="u", tool="t"))

        def again(span: Span) -> Span:
            store.erase("default", Selector(users=("u",)))
            return _again(span)

        report = store.remap("default", _OLD, again)

        assert (report.missed, _all(store), store.stats().spans) == (1, [], 0)

    def test_sums_follow(self, store: SpanStore) -> None:
        """Costs before and after are summed, and figures are of what is stored now."""
        stored(store, make.span(1, 1, kind="llm", cost=5), make.span(2, 1, kind="tool", at=1))
        store.overview("default", since=0, until=2**62)
        report = store.remap(
            "default", _OLD, lambda span: msgspec.structs.replace(_again(span), kind="llm", cost=make.span(1, 1, cost=8).cost)
        )  # fmt: skip

        assert (report.before_nano_usd, report.after_nano_usd) == (5, 16)
        assert store.overview("default", since=0, until=2**62).cost_nano_usd == 16

    def test_another_project_and_other_times_are_untouched(self, store: SpanStore) -> None:
        """Only what the filter names, of the project, is mapped."""
        stored(store, make.span(1, 1, tool="t"), make.span(2, 1, at=9, tool="t"), Maker("other").span(3, 1, tool="t"))
        start = make.span(2, 1, at=9).start_time
        (step,) = _remap(store, msgspec.structs.replace(_OLD, since=start))

        assert step.spans == 1
        assert [one.mapper for one in _all(store)] == [1, 2]
        assert [one.mapper for one in _all(store, "other")] == [1]

    def test_a_closed_store_maps_nothing(self, store: SpanStore) -> None:
        """After closing it raises as every method does."""
        from watchkeeper.kit.errors import StoreError

        stored(store, make.span(1, 1))
        store.close()
        with refused(StoreError):
            store.remap("default", _OLD, _again)


class MappingKept:
    """What survives."""

    @needs("survives_restart")
    def test_a_new_mapping_is_durable(self, backend: Backend) -> None:
        """What was mapped anew is there after the store was closed and opened, once."""
        first = backend.open()
        stored(first, make.span(1, 1, tool="t"), make.span(2, 1))
        first.remap("default", _OLD, _again)
        first.close()

        assert [(one.mapper, one.tool_name) for one in _all(backend.open())] == [(2, "t"), (2, None)]
