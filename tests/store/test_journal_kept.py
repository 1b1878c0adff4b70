"""What was set aside: erased with the rest, gone by its age, counted, and stored after all once its fault is mended."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.store.conftest import FolderBackend
from tests.store.test_journal import JOURNAL, make, numbers
from watchkeeper.kit.errors import NotFoundError, StoreError
from watchkeeper.model import RawSpan, Span
from watchkeeper.store.api import Selector, SpanStore, WriteBatch
from watchkeeper.store.conformance.samples import log_of, refine, score_of, stored

PRIVATE = "a very private word"


def poisoned(project: str, raw: RawSpan, received_at: int) -> Span:
    """Map, but fail on what is poisoned."""
    if "poison" in raw.attributes:
        message = "broken"
        raise ValueError(message)
    return refine(project, raw, received_at)


def set_aside(store: SpanStore, *spans: Span, logs: tuple[Span, ...] = (), scores: tuple[int, ...] = ()) -> str:
    """Have an export refused after it was acknowledged; return its file's name."""
    stored(store, make.span(99, 1))
    before = {one.name for one in store.kept()}
    taken = store.accept(
        WriteBatch(
            spans=(make.span(99, 1, poison=1), *spans),
            logs=tuple(log_of(span, PRIVATE) for span in logs),
            scores=tuple(score_of(number, trace_id=f"{number:032x}") for number in scores),
        )
    )
    assert taken.receipt.exception(30) is not None
    (name,) = {one.name for one in store.kept()} - before
    return name


@pytest.fixture
def folder(folder_backend: FolderBackend) -> Path:
    """Return the folder of the journal."""
    return (folder_backend.folder or Path()) / JOURNAL


def test_an_erasure_reaches_what_was_set_aside(folder_backend: FolderBackend, folder: Path) -> None:
    """A user's spans, with what else is of their traces, leave a refused export's file; a stranger's stay in it."""
    store = folder_backend.open(refine=poisoned)
    name = set_aside(
        store,
        make.span(1, 1, user_id="u", note=PRIVATE),
        make.span(1, 2, at=1, note=PRIVATE),
        make.span(2, 1, user_id="v", note="of another"),
        logs=(make.span(1, 1),),
        scores=(1, 2),
    )
    since = (folder / name).stat().st_mtime_ns

    counted = store.erase("default", Selector(users=("u",)), dry_run=True)
    assert PRIVATE.encode() in (folder / name).read_bytes()
    done = store.erase("default", Selector(users=("u",)))

    assert (counted.set_aside, done.set_aside, done.removed, done.unreached) == (4, 4, (), ())
    left = (folder / name).read_bytes()
    assert PRIVATE.encode() not in left
    assert b"of another" in left
    assert (folder / name).stat().st_mtime_ns == since
    assert store.erase("default", Selector(users=("u",))).set_aside == 0
    assert [one.name for one in folder.iterdir() if one.suffix != ".seg"] == [name]


def test_of_a_trace_that_is_stored_what_was_set_aside_goes_too(folder_backend: FolderBackend, folder: Path) -> None:
    """Where the database alone knows whose a trace is, its spans in a refused export go with it, and the other way round."""
    store = folder_backend.open(refine=poisoned)
    stored(store, make.span(1, 1, user_id="u"), make.span(2, 1))
    name = set_aside(store, make.span(1, 2, at=1, note=PRIVATE), make.span(2, 2, at=1, user_id="u", note=PRIVATE))

    report = store.erase("default", Selector(users=("u",)))

    assert (report.spans, report.set_aside) == (2, 2)
    assert numbers(store) == [99]
    assert PRIVATE.encode() not in (folder / name).read_bytes()


def test_an_export_of_which_nothing_is_left_goes(folder_backend: FolderBackend, folder: Path) -> None:
    """A refused export that was the erased one's alone leaves no file."""
    store = folder_backend.open(refine=poisoned)
    set_aside(store)

    assert store.erase("default", Selector(traces=(f"{99:032x}",))).set_aside == 1

    assert list(folder.glob("*.refused")) == []
    assert store.kept() == ()


def test_another_projects_data_stays(folder_backend: FolderBackend, folder: Path) -> None:
    """An erasure in one project leaves what another project's refused exports hold of the same names."""
    store = folder_backend.open(refine=poisoned)
    name = set_aside(store, make.span(1, 1, user_id="u", note=PRIVATE))

    assert store.erase("other", Selector(users=("u",), traces=(f"{1:032x}",))).set_aside == 0

    assert PRIVATE.encode() in (folder / name).read_bytes()


def test_what_nobody_can_read_is_removed_or_named(folder_backend: FolderBackend, folder: Path) -> None:
    """A refused export that cannot be read goes whole with any erasure, a damaged piece is named; counting touches neither."""
    store = folder_backend.open(refine=poisoned)
    (folder / "1.refused").write_bytes(b"WKJ1 but torn")
    (folder / "2.damaged").write_bytes(b"anything")

    counted = store.erase("default", Selector(users=("u",)), dry_run=True)
    assert (folder / "1.refused").exists()
    done = store.erase("default", Selector(users=("u",)))

    assert (counted.removed, counted.unreached) == (("1.refused",), ("2.damaged",))
    assert (done.removed, done.unreached) == (("1.refused",), ("2.damaged",))
    assert [one.name for one in store.kept()] == ["2.damaged"]


def test_it_goes_by_its_age(folder_backend: FolderBackend, folder: Path) -> None:
    """What was set aside before a time is deleted, refused and damaged alike, with what a kill left half written."""
    store = folder_backend.open()
    for at, name in enumerate(("1.refused", "2.damaged", "3.refused", "4.damaged"), 1):
        (folder / name).write_bytes(b"x")
        os.utime(folder / name, ns=(at * 1_000, at * 1_000))
    (folder / "5.refused.partial").write_bytes(b"x")

    assert store.expire_kept(3_000) == 2

    assert [one.name for one in store.kept()] == ["3.refused", "4.damaged"]
    assert not (folder / "5.refused.partial").exists()


def test_it_is_counted(folder_backend: FolderBackend, folder: Path) -> None:
    """The store's figures tell what waits, what was refused and what is damaged, in entries and bytes."""
    store = folder_backend.open(refine=poisoned)
    name = set_aside(store)
    (folder / "2.damaged").write_bytes(b"12345")

    found = store.stats().journal

    assert (found.pending, found.refused, found.damaged, found.damaged_bytes) == (0, 1, 1, 5)
    assert found.refused_bytes == (folder / name).stat().st_size > 0
    assert found.oldest == (folder / name).stat().st_mtime_ns


def test_an_export_is_stored_once_its_fault_is_mended(folder_backend: FolderBackend) -> None:
    """While the fault lasts a refused export stays where it is; after, it is stored whole and its file goes."""
    store = folder_backend.open(refine=poisoned)
    name = set_aside(store, make.span(5, 1, at=5))
    with pytest.raises(StoreError):
        store.retry_kept(name)
    assert [one.name for one in store.kept()] == [name]
    store.close()

    mended = folder_backend.open()

    assert mended.retry_kept(name).outcomes == ("merged", "inserted")
    assert numbers(mended) == [99, 5]
    assert mended.kept() == ()


def test_what_was_erased_is_not_brought_back_by_trying_again(folder_backend: FolderBackend, folder: Path) -> None:
    """A copy of a refused export from before an erasure, put back and tried again, brings nothing of it."""
    store = folder_backend.open(refine=poisoned)
    name = set_aside(store, make.span(1, 1, user_id="u"))
    before = (folder / name).read_bytes()
    store.erase("default", Selector(users=("u",)))
    (folder / name).write_bytes(before)
    store.close()

    mended = folder_backend.open()
    assert mended.retry_kept(name).outcomes == ("merged", "erased")
    assert numbers(mended) == [99]


@pytest.mark.parametrize("name", ["nothing.refused", "../../spans.duckdb", "1.seg", ""])
def test_only_what_was_set_aside_can_be_named(folder_backend: FolderBackend, folder: Path, name: str) -> None:
    """Nothing else in the folder, or outside it, is deleted or read by its name."""
    store = folder_backend.open()
    (folder / "1.seg").write_bytes(b"x")

    with pytest.raises(NotFoundError):
        store.drop_kept(name)
    with pytest.raises(NotFoundError):
        store.retry_kept(name)

    assert (folder / "1.seg").exists()


def test_what_cannot_be_tried_again_is_dropped_by_name(folder_backend: FolderBackend, folder: Path) -> None:
    """A damaged piece, and an export nobody can read, are refused with the command that deletes them, which does."""
    store = folder_backend.open()
    for name in ("1.refused", "2.damaged"):
        (folder / name).write_bytes(b"x")
        with pytest.raises(StoreError, match=name) as caught:
            store.retry_kept(name)
        assert f"journal drop {name}" in (caught.value.hint or "")
        store.drop_kept(name)

    assert store.kept() == ()
