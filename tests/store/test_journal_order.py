"""Whoever writes or waits beside the journal: nobody overtakes, and nobody is forgotten."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.store.conftest import FolderBackend
from tests.store.test_journal import _Held, accept, make, numbers
from watchkeeper.kit.errors import StoreError
from watchkeeper.store.api import WriteBatch
from watchkeeper.store.conformance.samples import stored
from watchkeeper.store.conformance.support import eventually


def test_what_is_submitted_does_not_overtake_what_is_tried_again(
    folder_backend: FolderBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later value of the same span wins, whether it was accepted or submitted, also while an earlier one must wait."""
    store = folder_backend.open()
    stored(store, make.span(1, 1, model="a"))
    writer = store._writer  # type: ignore[attr-defined]
    whole, failures = writer._write, [2]

    def fails_at_first(plan: object, entry: int) -> int:
        if failures[0] and entry:
            failures[0] -= 1
            message = "for a moment"
            raise StoreError(message)
        return int(whole(plan, entry))

    monkeypatch.setattr(writer, "_write", fails_at_first)
    first = accept(store, make.span(1, 1, model="b"))
    assert eventually(lambda: store._writer.is_behind)  # type: ignore[attr-defined]
    second = store.submit(WriteBatch(spans=(make.span(1, 1, model="c"),)))

    assert first.receipt.result(30).outcomes == ("merged",)
    assert second.result(30).outcomes == ("merged",)
    span = store.get_span("default", f"{1:032x}", f"{1:016x}")
    assert span is not None
    assert span.model == "c"


def test_everyone_who_waits_is_told(folder_backend: FolderBackend) -> None:
    """Readers that come while a commit is under way, and after it, each find all that was acknowledged before they came."""
    held = _Held()
    store = folder_backend.open(refine=held.refine)
    stored(store, make.span(1, 1))
    accept(store, make.span(1, 1, hold=1))
    assert held.entered.wait(30)
    with ThreadPoolExecutor(8) as pool:
        early = [pool.submit(store.settle, 30) for _ in range(3)]
        late = []
        for number in range(2, 7):
            accept(store, make.span(number, 1, at=number))
            late.append(pool.submit(lambda: (store.settle(30), numbers(store))))
        held.go.set()
        assert [one.result(30) for one in early] == [True] * 3
        found = [one.result(30) for one in late]

    assert all(settled and set(range(1, upto)) <= set(seen) for upto, (settled, seen) in enumerate(found, 3))
