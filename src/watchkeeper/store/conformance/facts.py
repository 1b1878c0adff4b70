"""Trace facts: session, user, tags and release reach every span of the trace."""

from __future__ import annotations

from watchkeeper.model import Span
from watchkeeper.store.api import SpanStore
from watchkeeper.store.conformance.samples import Maker, stored
from watchkeeper.store.conformance.support import Backend, eventually, needs

__all__ = ["HealedFacts", "TraceFacts"]

make = Maker()


def _get(store: SpanStore, trace: int, span: int) -> Span:
    found = store.get_span("default", f"{trace:032x}", f"{span:016x}")
    assert found is not None
    return found


class TraceFacts:
    """Copied to the spans that lack them."""

    def test_within_a_batch(self, store: SpanStore) -> None:
        """A root's session, user, tags and release are on its children when they come together."""
        root = make.span(1, 1, session_id="s", user_id="u", tags=["t"], release="r")
        stored(store, make.span(1, 2, parent=1, at=1), root)
        assert eventually(lambda: _get(store, 1, 2).session_id == "s")
        child = _get(store, 1, 2)
        assert (child.user_id, child.tags, child.release) == ("u", ("t",), "r")

    def test_root_ends_last(self, store: SpanStore) -> None:
        """Children stored before their root get its facts soon after it."""
        stored(store, make.span(1, 2, parent=1, at=1), make.span(1, 3, parent=2, at=2))
        stored(store, make.span(1, 1, session_id="s", tags=["t"]))
        assert eventually(lambda: _get(store, 1, 3).session_id == "s" and _get(store, 1, 2).tags == ("t",))

    def test_child_after_root(self, store: SpanStore) -> None:
        """A child stored after the root gets its facts soon after."""
        stored(store, make.span(1, 1, session_id="s"))
        stored(store, make.span(1, 2, parent=1, at=1))
        assert eventually(lambda: _get(store, 1, 2).session_id == "s")

    def test_own_value_stays(self, store: SpanStore) -> None:
        """A span that has its own value keeps it."""
        stored(store, make.span(1, 2, parent=1, at=1, session_id="own"), make.span(1, 3, parent=1, at=1))
        stored(store, make.span(1, 1, session_id="s"))
        assert eventually(lambda: _get(store, 1, 3).session_id == "s")
        assert _get(store, 1, 2).session_id == "own"

    def test_root_wins_over_earlier_copies(self, store: SpanStore) -> None:
        """A value copied from a child gives way to the root's when it arrives."""
        stored(store, make.span(1, 2, parent=1, at=1, user_id="child"), make.span(1, 3, parent=1, at=2))
        assert eventually(lambda: _get(store, 1, 3).user_id == "child")
        stored(store, make.span(1, 1, at=3, user_id="root"))
        assert eventually(lambda: _get(store, 1, 3).user_id == "root")

    def test_earliest_child_wins(self, store: SpanStore) -> None:
        """Without a root's value the earliest span's is copied."""
        stored(store, make.span(1, 3, parent=1, at=2, user_id="late"), make.span(1, 4, parent=1, at=3))
        stored(store, make.span(1, 2, parent=1, at=1, user_id="early"))
        assert eventually(lambda: _get(store, 1, 4).user_id == "early")

    def test_amended_span_keeps_what_the_trace_gave(self, store: SpanStore) -> None:
        """A span that is merged still has the trace's facts."""
        stored(store, make.span(1, 1, session_id="s"), make.span(1, 2, parent=1))
        stored(store, make.span(1, 2, parent=1, model="m"))
        assert eventually(lambda: _get(store, 1, 2).session_id == "s")

    def test_other_projects_and_traces_are_left(self, store: SpanStore) -> None:
        """Facts stay within their trace and project."""
        stored(store, make.span(1, 2, parent=1), make.span(2, 2, parent=1), Maker("other").span(1, 2, parent=1))
        stored(store, make.span(1, 1, session_id="s"))
        assert eventually(lambda: _get(store, 1, 2).session_id == "s")
        theirs = store.get_span("other", f"{1:032x}", f"{2:016x}")
        assert theirs is not None
        assert (theirs.session_id, _get(store, 2, 2).session_id) == (None, None)


class HealedFacts:
    """They hold after the store was closed, too."""

    @needs("survives_restart")
    def test_across_restarts(self, backend: Backend) -> None:
        """Facts brought after reopening reach spans stored before."""
        store = backend.open()
        stored(store, make.span(1, 2, parent=1))
        store.close()
        again = backend.open()
        stored(again, make.span(1, 1, session_id="s"))
        assert eventually(lambda: _get(again, 1, 2).session_id == "s")

    @needs("survives_restart")
    def test_closing_copies_what_is_due(self, backend: Backend) -> None:
        """Facts that were due when the store closed are there after reopening."""
        store = backend.open()
        stored(store, make.span(1, 2, parent=1))
        stored(store, make.span(1, 1, session_id="s"))
        store.close()
        assert _get(backend.open(), 1, 2).session_id == "s"
