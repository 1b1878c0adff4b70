"""What damage, strange entries and impatient callers must not take from the journal."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.store.conftest import FolderBackend
from tests.store.test_journal import JOURNAL, accept, batch, make, numbers
from watchkeeper.store.api import SpanStore, WriteBatch
from watchkeeper.store.conformance.samples import stored
from watchkeeper.store.duckdb.journal import Journal, packed_batch


def segment_of(folder: Path, entries: int) -> tuple[Path, list[int]]:
    """Write a segment of entries of one span; return it and where each ends."""
    journal, ends = Journal(folder), []
    assert list(journal.recover(0)) == []
    for number in range(1, entries + 1):
        journal.append([packed_batch(batch(number))])
        ends.append(journal.size)
    journal.close(0)
    return next(folder.glob("*.seg")), ends


@pytest.mark.parametrize("inside", [30, 200])
def test_damage_in_the_middle_takes_only_its_entry(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, inside: int
) -> None:
    """Entries behind a changed one are brought back, and the file with the changed one is kept and logged as an error."""
    path, ends = segment_of(tmp_path / "j", 4)
    whole = bytearray(path.read_bytes())
    whole[ends[0] + inside] ^= 1
    path.write_bytes(whole)
    journal = Journal(tmp_path / "j")

    assert [number for number, _ in journal.recover(0)] == [1, 3, 4]
    journal.trim(4)

    assert [one.suffix for one in (tmp_path / "j").iterdir()] == [".damaged"]
    assert any(one.levelno == logging.ERROR for one in caplog.records)
    assert journal.append([packed_batch(batch(5))]) == [5]
    journal.close(5)


@pytest.mark.parametrize("place", [0, 9, 19])
def test_a_damaged_head_keeps_the_file(tmp_path: Path, place: int) -> None:
    """Where an entry's own head is changed, in mark, number or length, the bytes behind it stay on the disk."""
    path, ends = segment_of(tmp_path / "j", 3)
    whole = bytearray(path.read_bytes())
    whole[ends[0] + place] ^= 0x40
    path.write_bytes(whole)
    journal = Journal(tmp_path / "j")

    assert 1 in [number for number, _ in journal.recover(0)]
    journal.trim(3)

    (kept,) = (tmp_path / "j").glob("*.damaged")
    assert kept.read_bytes() == whole


@pytest.mark.parametrize("torn", [b"", b"WK", b"\0" * 64])
def test_a_segment_torn_at_its_first_entry_stops_no_export(tmp_path: Path, torn: bytes) -> None:
    """A kill right after a segment was begun leaves its name free for the next start, which takes exports at once."""
    folder = tmp_path / "j"
    folder.mkdir()
    (folder / f"{5:020d}.seg").write_bytes(torn)
    journal = Journal(folder)

    assert list(journal.recover(4)) == []

    assert journal.append([packed_batch(batch(5))]) == [5]
    journal.close(5)
    assert list(folder.iterdir()) == []


def test_a_segment_damaged_at_its_first_entry_stops_no_export(tmp_path: Path) -> None:
    """A segment of which nothing is whole is kept under another name, and exports are taken at once."""
    path, _ = segment_of(tmp_path / "j", 1)
    whole = bytearray(path.read_bytes())
    whole[200] ^= 1
    path.write_bytes(whole)
    journal = Journal(tmp_path / "j")

    assert list(journal.recover(0)) == []

    assert journal.append([packed_batch(batch(1))]) == [1]
    journal.close(1)
    assert [one.suffix for one in (tmp_path / "j").iterdir()] == [".damaged"]


def test_an_entry_nobody_can_read_stops_no_start(folder_backend: FolderBackend) -> None:
    """A whole entry that does not unpack is kept beside the segments, and the store opens with all others."""
    store = folder_backend.open()
    store.close()
    folder = (folder_backend.folder or Path()) / JOURNAL
    journal = Journal(folder)
    assert list(journal.recover(0)) == []
    journal.append([packed_batch(batch(1)), [b"\x04\0\0\0nono"], packed_batch(batch(3))])
    journal.close(0)

    again = folder_backend.open()

    assert numbers(again) == [1, 3]
    again.close()
    (kept,) = folder.iterdir()
    assert kept.name == f"{2:020d}.refused"
    assert b"nono" in kept.read_bytes()


async def _gives_up(store: SpanStore, wait: Callable[[SpanStore], asyncio.Future[object]]) -> None:
    waiting = wait(store)
    waiting.cancel()
    await asyncio.sleep(0)


@pytest.mark.parametrize("how", ["accept", "submit"])
def test_a_caller_that_gives_up_stops_nobody_else(folder_backend: FolderBackend, how: str) -> None:
    """A request cancelled while it waits for its answer leaves both threads at work, and is stored all the same."""
    store = folder_backend.open()
    one = WriteBatch(spans=(make.span(1, 1),), size=100)

    def wait(store: SpanStore) -> asyncio.Future[object]:
        taken = store.accept(one).durable if how == "accept" else store.submit(one)
        return asyncio.wrap_future(taken)  # type: ignore[arg-type]

    asyncio.run(_gives_up(store, wait))

    accept(store, make.span(2, 1, at=2))
    stored(store, make.span(3, 1, at=3))
    assert numbers(store) == [1, 2, 3]
