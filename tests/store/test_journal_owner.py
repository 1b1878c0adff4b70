"""Whose a journal is, and what a database beside another moment's journal must neither lose nor mix."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import duckdb
import pytest

from tests.store.conftest import FolderBackend
from tests.store.test_journal import JOURNAL, _Held, accept, make, numbers
from watchkeeper.kit.errors import OverloadedError, StoreForeignError
from watchkeeper.model import RawSpan, Span
from watchkeeper.store.api import SpanFilter, WriteBatch
from watchkeeper.store.conformance.samples import refine, stored
from watchkeeper.store.duckdb import writer as writing
from watchkeeper.store.duckdb.journal import Journal, owner_of, packed_batch
from watchkeeper.store.duckdb.writer import Writer
from watchkeeper.store.factory import SPANS_FILE, open_span_store
from watchkeeper.store.queue import WriteQueue


def left_behind(folder: Path, target: Path, *traces: int) -> Path:
    """Store span 1, let these wait in the journal, and return a copy of the folder as a kill would leave it."""
    held = _Held()
    store = open_span_store(folder, refine=held.refine, memory_mib=256)
    stored(store, make.span(1, 1))
    accept(store, make.span(1, 1, hold=1))
    assert held.entered.wait(30)
    for number in traces:
        accept(store, make.span(number, 1, at=number))
    shutil.copytree(folder, target)
    held.go.set()
    store.close()
    return target


def reopened(folder: Path) -> list[int]:
    """Return the traces of what a start finds."""
    store = open_span_store(folder, refine=refine, memory_mib=256)
    try:
        return numbers(store)
    finally:
        store.close()


def owner_of_database(path: Path) -> str:
    """Return the name of the store in a file."""
    with duckdb.connect(str(path), read_only=True) as raw:
        return str(raw.execute("SELECT store FROM identity").fetchall()[0][0])


def leave(folder: Path, *spans: Span) -> None:
    """Write a journal with an entry a span, as a release before the store had a name did."""
    journal = Journal(folder)
    assert list(journal.recover(0)) == []
    for span in spans:
        journal.append([packed_batch(WriteBatch(spans=(span,), size=1_000))])
    journal.close(0)


def test_another_stores_journal_is_refused_and_left(tmp_path: Path) -> None:
    """A database does not start beside a journal of another: both are named, how to go on is said, and no byte changes."""
    left = left_behind(tmp_path / "a", tmp_path / "left", 2, 3)
    open_span_store(tmp_path / "b", refine=refine, memory_mib=256).close()
    folder = tmp_path / "b" / JOURNAL
    shutil.copytree(left / JOURNAL, folder, dirs_exist_ok=True)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    with pytest.raises(StoreForeignError, match=str(folder)) as caught:
        reopened(tmp_path / "b")

    assert owner_of_database(left / SPANS_FILE) in caught.value.message
    assert f"mv {folder}" in (caught.value.hint or "")
    assert before == {path.name: path.read_bytes() for path in folder.iterdir()}
    folder.rename(tmp_path / "away")
    assert reopened(tmp_path / "b") == []


def test_an_older_copy_of_the_same_store_takes_what_waits(tmp_path: Path) -> None:
    """Where a copy of the database from before is put back beside its own journal, what waits in that is stored."""
    open_span_store(tmp_path / "a", refine=refine, memory_mib=256).close()
    shutil.copy(tmp_path / "a" / SPANS_FILE, tmp_path / "older")
    left = left_behind(tmp_path / "a", tmp_path / "left", 2, 3)
    (left / f"{SPANS_FILE}.wal").unlink(missing_ok=True)
    shutil.copy(tmp_path / "older", left / SPANS_FILE)

    assert reopened(left) == [1, 2, 3]


def test_a_database_ahead_of_its_journal_loses_nothing_new(folder_backend: FolderBackend, tmp_path: Path) -> None:
    """Numbers go on after the highest of both, so nothing accepted later is taken for what is stored already."""
    open_span_store(folder_backend.folder, refine=refine, memory_mib=256).close()
    folder = folder_backend.folder or tmp_path
    with duckdb.connect(str(folder / SPANS_FILE)) as raw:
        raw.execute("UPDATE journal SET folded = 900")
        owner = str(raw.execute("SELECT store FROM identity").fetchall()[0][0])
    older = Journal(folder / JOURNAL)
    assert list(older.recover(0, owner)) == []
    older.append([packed_batch(WriteBatch(spans=(make.span(7, 1),)))])
    older.close(0)

    left = left_behind(folder, tmp_path / "left", 2, 3)

    assert reopened(left) == [1, 2, 3]


def test_a_backup_is_another_store_and_a_rewritten_file_the_same(folder_backend: FolderBackend, tmp_path: Path) -> None:
    """What a backup goes on to hold is numbered anew, so the journal of the store it was taken of is not for it."""
    store = folder_backend.open()
    stored(store, make.span(1, 1))
    store.backup(tmp_path / "copy", together=lambda: None, progress=lambda _done, _whole: None)
    accept(store, make.span(2, 1))
    folder = folder_backend.folder or tmp_path
    (segment,) = (folder / JOURNAL).glob("*.seg")
    owner = owner_of(segment)
    assert store.reclaim(force=True).rewritten
    store.close()

    assert owner == owner_of_database(folder / SPANS_FILE)
    assert owner != owner_of_database(tmp_path / "copy")


def test_a_segment_of_an_earlier_release_is_taken(folder_backend: FolderBackend) -> None:
    """One that names no store is the store's own: what waited in it when the release was changed is stored."""
    folder = (folder_backend.folder or Path()) / JOURNAL
    folder_backend.open().close()
    earlier = Journal(folder)
    assert list(earlier.recover(0)) == []
    earlier.append([packed_batch(WriteBatch(spans=(make.span(5, 1),)))])
    earlier.close(0)

    assert numbers(folder_backend.open()) == [5]


def test_a_start_holds_no_more_of_the_journal_than_the_queue_may(
    folder_backend: FolderBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much waits in the journal, it is taken in as there is room, in its order, and all of it is there at once."""
    folder = (folder_backend.folder or Path()) / JOURNAL
    folder_backend.open().close()
    spans = [make.span(number, 1, at=number) for number in range(1, 201)]
    leave(folder, *spans, make.span(1, 1, at=1, model="last"))
    most, whole = [0], WriteQueue.adopt

    def watched(queue: WriteQueue, batch: WriteBatch, entry: int, patience: float) -> bool:
        done = whole(queue, batch, entry, patience)
        most[0] = max(most[0], queue.held)
        return done

    monkeypatch.setattr(WriteQueue, "adopt", watched)
    store = folder_backend.open(queue_bytes=5_000)

    assert store.stats().spans == 200
    assert numbers(store) == list(range(1, 201))
    last = store.get_span("default", f"{1:032x}", f"{1:016x}")
    assert last is not None
    assert last.model == "last"
    assert 0 < most[0] <= 5_000


def test_what_was_set_aside_is_not_taken_again(folder_backend: FolderBackend) -> None:
    """An export that can never be stored is set aside once: its segment goes, and no later start brings it back."""

    def broken(project: str, raw: RawSpan, received_at: int) -> Span:
        if "poison" in raw.attributes:
            message = "broken"
            raise ValueError(message)
        return refine(project, raw, received_at)

    store = folder_backend.open(refine=broken)
    stored(store, make.span(1, 1))
    taken = store.accept(WriteBatch(spans=(make.span(1, 1, poison=1),)))
    assert taken.receipt.exception(30) is not None
    store.close()
    folder = (folder_backend.folder or Path()) / JOURNAL
    (kept,) = folder.iterdir()
    kept.unlink()

    folder_backend.open(refine=broken).close()

    assert list(folder.iterdir()) == []


def test_a_start_on_a_full_disk_goes_on_and_stores_later(
    folder_backend: FolderBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing of the journal can be stored the start ends all the same, and with room all is stored, in order, new last."""
    folder = (folder_backend.folder or Path()) / JOURNAL
    folder_backend.open().close()
    leave(folder, *(make.span(number, 1, at=number, model="old") for number in range(1, 41)))
    whole = Writer._write

    def full(*_: object) -> int:
        message = 'IO Error: Could not write: "No space left on device"'
        raise duckdb.IOException(message)

    monkeypatch.setattr(writing, "_RECOVERY", 0.1)
    monkeypatch.setattr(Writer, "_write", full)
    store = folder_backend.open(queue_bytes=5_000)
    assert (store.stats().spans, store.stats().journal.pending) == (0, 40)
    with pytest.raises(OverloadedError):
        store.accept(WriteBatch(spans=(make.span(1, 1, at=1, model="new"),), size=1_000))
    monkeypatch.setattr(Writer, "_write", whole)
    assert store.settle(30)
    accept(store, make.span(1, 1, at=1, model="new"))

    assert numbers(store) == list(range(1, 41))
    span = store.get_span("default", f"{1:032x}", f"{1:016x}")
    assert span is not None
    assert span.model == "new"


@pytest.mark.parametrize(("folded", "warned"), [(5, 0), (7, 0), (8, 0), (4, 1), (0, 1)])
def test_what_is_in_neither_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, folded: int, warned: int
) -> None:
    """A database from before what its journal begins with is told of once, by both numbers; any other start is silent."""
    journal = Journal(tmp_path / "j")
    assert list(journal.recover(5)) == []
    for number in (6, 7):
        journal.append([packed_batch(WriteBatch(spans=(make.span(number, 1),)))])
    journal.append([packed_batch(WriteBatch(spans=(make.span(8, 1),)))])
    journal.close(0)

    assert [number for number, _ in Journal(tmp_path / "j").recover(folded)] == [
        number for number in (6, 7, 8) if number > folded
    ]

    told = [one.getMessage() for one in caplog.records]
    assert warned == len(told)
    assert all(f"goes on at entry 6, and the database ends at {folded}" in one for one in told)


def test_an_entry_nobody_can_read_is_kept_once(tmp_path: Path) -> None:
    """However often a start meets it before it is folded, one file keeps it; another of its number has a file of its own."""
    folder = tmp_path / "j"
    journal = Journal(folder)
    assert list(journal.recover(0)) == []
    journal.append([[b"\x04\0\0\0nono"]])
    journal.close(0)
    for _ in range(3):
        assert list(Journal(folder).recover(0)) == []
    assert [one.name for one in folder.glob("*.refused")] == [f"{1:020d}.refused"]
    (folder / f"{1:020d}.refused").write_bytes(b"of another numbering")
    assert list(Journal(folder).recover(0)) == []

    assert len(list(folder.glob("*.refused"))) == 2


_OPENS = """
import sys
from pathlib import Path
from watchkeeper.store.conformance.samples import refine
from watchkeeper.store.duckdb import writer as writing
from watchkeeper.store.duckdb.writer import Writer
from watchkeeper.store.factory import open_span_store
print("opening", flush=True)
store = open_span_store(Path(sys.argv[1]), refine=refine, memory_mib=256, queue_bytes=200_000)
"""


@pytest.mark.slow
def test_a_start_that_is_killed_again_and_again_stores_all_once(folder_backend: FolderBackend) -> None:
    """Killed at any moment of taking in a long journal, the next start goes on; nothing is lost, doubled or reordered."""
    data = folder_backend.folder or Path()
    folder_backend.open().close()
    journal = Journal(data / JOURNAL)
    assert list(journal.recover(0)) == []
    for turn in range(3):
        for number in range(1, 401):
            spans = (make.span(number, 1, at=number, model=f"turn {turn}", text="word " * 200),)
            journal.append([packed_batch(WriteBatch(spans=spans, size=5_000))])
    journal.close(0)
    rng = Random(7)
    for _ in range(8):
        with subprocess.Popen([sys.executable, "-c", _OPENS, str(data)], stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            child.stdout.readline()
            time.sleep(rng.uniform(0.02, 0.5))
            child.kill()

    store = folder_backend.open()
    assert numbers(store) == list(range(1, 401))
    assert {span.model for span in store.scan_spans("default", SpanFilter())} == {"turn 2"}
    assert store.kept() == ()
