"""The journal: whole entries or none, each stored once, kept until it is stored, and then gone."""

from __future__ import annotations

import errno
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.store.conftest import FolderBackend
from watchkeeper.kit.errors import StoreError, StoreFullError
from watchkeeper.model import RawSpan, Span
from watchkeeper.store.api import Accepted, Selector, SpanFilter, SpanStore, WriteBatch
from watchkeeper.store.conformance.samples import Maker, log_of, refine, score_of, stored
from watchkeeper.store.conformance.support import eventually
from watchkeeper.store.duckdb.journal import Journal, packed_batch
from watchkeeper.store.factory import SPANS_FILE, open_span_store

make = Maker()
JOURNAL = SPANS_FILE + ".journal"


def batch(number: int) -> WriteBatch:
    """Make a batch of one span."""
    return WriteBatch(spans=(make.span(number, 1, at=number, text="word " * number),), size=number)


def accept(store: SpanStore, *spans: Span) -> Accepted:
    """Accept spans, and wait until they are durable."""
    taken = store.accept(WriteBatch(spans=spans, size=100))
    taken.durable.result(30)
    return taken


def numbers(store: SpanStore) -> list[int]:
    """Return the traces of what is stored."""
    return [int(span.trace_id, 16) for span in store.scan_spans("default", SpanFilter())]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """An empty journal."""
    made = Journal(tmp_path / "j")
    assert list(made.recover(0)) == []
    yield made
    made.close(0)


def test_a_tail_torn_anywhere_leaves_the_entries_before_it(journal: Journal, tmp_path: Path) -> None:
    """Cut at any byte of its last entry, a segment still gives every entry before it, and goes on counting after."""
    journal.append([packed_batch(batch(1))])
    journal.append([packed_batch(batch(2))])
    before = journal.size
    journal.append([packed_batch(batch(3))])
    whole = next((tmp_path / "j").glob("*.seg")).read_bytes()
    for cut in range(before, len(whole), 97):
        folder = tmp_path / f"cut{cut}"
        folder.mkdir()
        (folder / "1.seg").write_bytes(whole[:cut])
        other = Journal(folder)
        assert [(number, found.size) for number, found in other.recover(0)] == [(1, 1), (2, 2)]
        assert other.append([packed_batch(batch(9))]) == [3]
        other.close(3)
        assert list(folder.iterdir()) == []


def test_a_flipped_bit_is_noticed(journal: Journal, tmp_path: Path) -> None:
    """An entry whose bytes have changed is not taken for what was acknowledged."""
    journal.append([packed_batch(batch(1))])
    before = journal.size
    journal.append([packed_batch(batch(2))])
    path = next((tmp_path / "j").glob("*.seg"))
    whole = bytearray(path.read_bytes())
    for place in range(before, len(whole), 61):
        whole[place] ^= 1
        folder = tmp_path / f"bit{place}"
        folder.mkdir()
        (folder / "1.seg").write_bytes(whole)
        whole[place] ^= 1
        assert [number for number, _ in Journal(folder).recover(0)] == [1]


def test_only_what_is_stored_is_deleted(journal: Journal, tmp_path: Path) -> None:
    """A segment stays until its last entry is stored; the open one goes once the store is idle."""
    journal.append([packed_batch(batch(1)), packed_batch(batch(2))])
    journal.trim(1, idle=True)
    assert journal.size > 0
    journal.trim(2)
    assert journal.size > 0
    journal.trim(2, idle=True)
    assert (journal.size, list((tmp_path / "j").iterdir())) == (0, [])
    assert journal.append([packed_batch(batch(3))]) == [3]


class _Held:
    """A mapper that holds the writer up, so that what is accepted stays in the journal."""

    def __init__(self) -> None:
        self.go, self.entered = threading.Event(), threading.Event()

    def refine(self, project: str, raw: RawSpan, received_at: int) -> Span:
        if "hold" in raw.attributes:
            self.entered.set()
            self.go.wait(30)
        return refine(project, raw, received_at)


def test_what_was_only_journalled_is_stored_at_the_next_start(folder_backend: FolderBackend, tmp_path: Path) -> None:
    """A folder left while nothing of it was stored opens with all of it, in its order, and once however often it is left."""
    held = _Held()
    store = folder_backend.open(refine=held.refine)
    stored(store, make.span(1, 1, model="first"))
    accept(store, make.span(1, 1, model="second", hold=1))
    assert held.entered.wait(30)
    for number in range(2, 30):
        accept(store, make.span(number, 1, at=number))
    accept(store, make.span(1, 1, model="third", session_id="s"))
    accept(store, make.span(1, 2, parent=1))
    store.accept(WriteBatch(logs=(log_of(make.span(2, 1), "late"),), scores=(score_of(1),))).durable.result(30)
    left = tmp_path / "left"
    shutil.copytree(folder_backend.folder or left, left)
    held.go.set()
    for _ in range(3):
        shutil.copytree(left / JOURNAL, tmp_path / "kept", dirs_exist_ok=True)
        opened = open_span_store(left, refine=refine, memory_mib=256)
        assert numbers(opened) == [1, *range(1, 30)]
        child = opened.get_span("default", f"{1:032x}", f"{2:016x}")
        assert child is not None
        assert child.session_id == "s"
        first = opened.get_span("default", f"{1:032x}", f"{1:016x}")
        second = opened.get_span("default", f"{2:032x}", f"{1:016x}")
        assert first is not None
        assert second is not None
        assert first.model == "third"
        assert [log.body for log in second.raw.logs] == ["late"]
        assert len(opened.list_scores("default").items) == 1
        stored(opened, make.span(1, 1, model="third"))
        opened.close()
        assert list((left / JOURNAL).iterdir()) == []
        # As if the segments had not been deleted yet when the server was killed.
        shutil.copytree(tmp_path / "kept", left / JOURNAL, dirs_exist_ok=True)


@pytest.mark.parametrize("rewritten", [False, True])
def test_an_entry_that_is_stored_is_not_merged_again(
    folder_backend: FolderBackend, tmp_path: Path, *, rewritten: bool
) -> None:
    """A journal that outlived what it brought does not bring an older value back, in a rewritten file neither."""
    held = _Held()
    store = folder_backend.open(refine=held.refine)
    folder = folder_backend.folder or tmp_path
    stored(store, make.span(1, 1, model="a"))
    accept(store, make.span(1, 1, model="b", hold=1))
    assert held.entered.wait(30)
    shutil.copytree(folder / JOURNAL, tmp_path / "kept")
    held.go.set()
    stored(store, make.span(1, 1, model="c"))
    if rewritten:
        assert store.reclaim(force=True).rewritten
    store.close()
    shutil.copytree(tmp_path / "kept", folder / JOURNAL, dirs_exist_ok=True)
    again = folder_backend.open()
    span = again.get_span("default", f"{1:032x}", f"{1:016x}")
    assert span is not None
    assert span.model == "c"


@pytest.mark.parametrize("call", ["writev", "fdatasync"])
def test_a_journal_without_space_acknowledges_nothing(
    folder_backend: FolderBackend, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """When it cannot be written the export is refused, its room is given back, and the next is taken, now and after a restart."""
    store = folder_backend.open()
    accept(store, make.span(1, 1))

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        taken = store.accept(WriteBatch(spans=(make.span(2, 1),), size=100))
        with pytest.raises(StoreFullError):
            taken.durable.result(30)
    assert taken.receipt.cancelled()
    assert store.settle(30)
    assert store.stats().queued == 0
    accept(store, make.span(3, 1, at=3))
    assert numbers(store) == [1, 3]
    store.close()
    assert numbers(folder_backend.open()) == [1, 3]


def test_what_is_acknowledged_waits_for_room(folder_backend: FolderBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the database finds no space acknowledged spans wait, erasing says so, and then all are stored in order."""
    store = folder_backend.open()
    stored(store, make.span(1, 1, model="a"))

    def full(*_: object) -> int:
        message = 'IO Error: Could not write: "No space left on device"'
        raise duckdb.IOException(message)

    with monkeypatch.context() as patch:
        patch.setattr(store._writer, "_write", full)  # type: ignore[attr-defined]
        waiting = [accept(store, make.span(1, 1, model="b")), accept(store, make.span(2, 1, at=2))]
        assert eventually(lambda: store._writer.is_behind)  # type: ignore[attr-defined]
        assert numbers(store) == [1]
        waiting.append(accept(store, make.span(1, 1, model="c")))
        assert not store.settle(0.01)
        with pytest.raises(StoreError):
            store.erase("default", Selector(traces=("x",)))
        with pytest.raises(StoreFullError):
            stored(store, make.span(3, 1))
    assert [one.receipt.result(30).outcomes for one in waiting] == [("merged",), ("inserted",), ("merged",)]
    span = store.get_span("default", f"{1:032x}", f"{1:016x}")
    assert span is not None
    assert span.model == "c"
    assert store.stats().queued == 0


def test_a_failed_engine_loses_nothing_accepted(folder_backend: FolderBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a fatal error, before or after its commit, what was acknowledged is stored once by the engine opened anew."""
    store = folder_backend.open()
    writer = store._writer  # type: ignore[attr-defined]
    whole = writer._write

    for number, commits in enumerate((False, True), 1):

        def once(plan: object, entry: int, commits: bool = commits) -> int:  # noqa: FBT001
            monkeypatch.setattr(writer, "_write", whole)
            if commits:
                whole(plan, entry)
            message = "FATAL Error: database has been invalidated"
            raise duckdb.FatalException(message)

        monkeypatch.setattr(writer, "_write", once)
        taken = accept(store, make.span(number, 1, at=number))
        assert taken.receipt.result(30).outcomes == (("unchanged",) if commits else ("inserted",))
    assert numbers(store) == [1, 2]


def test_what_can_never_be_stored_is_set_aside(folder_backend: FolderBackend) -> None:
    """An acknowledged export on which the mapper fails is kept in a file, and its neighbours are stored."""

    def broken(project: str, raw: RawSpan, received_at: int) -> Span:
        if "poison" in raw.attributes:
            message = "broken"
            raise ValueError(message)
        return refine(project, raw, received_at)

    store = folder_backend.open(refine=broken)
    stored(store, make.span(1, 1))
    taken = [
        store.accept(WriteBatch(spans=(span,)))
        for span in (make.span(2, 1), make.span(1, 1, poison=1), make.span(3, 1))
    ]
    assert [one.durable.result(30) for one in taken] == [None] * 3
    assert isinstance(taken[1].receipt.exception(30), StoreError)
    assert sorted(numbers(store)) == [1, 2, 3]
    store.close()
    folder = (folder_backend.folder or Path()) / JOURNAL
    (kept,) = folder.iterdir()
    assert b"poison" in kept.read_bytes()
    assert sorted(numbers(folder_backend.open())) == [1, 2, 3]


def test_what_is_erased_leaves_the_journal(folder_backend: FolderBackend) -> None:
    """Reclaiming after an erasure leaves nothing of it in the journal either."""
    store = folder_backend.open()
    accept(store, make.span(1, 1, user_id="u", note="a very private word"))
    folder = folder_backend.folder or Path()
    store.erase("default", Selector(users=("u",)))
    store.reclaim(force=True)
    assert not any(b"a very private word" in path.read_bytes() for path in folder.rglob("*") if path.is_file())
