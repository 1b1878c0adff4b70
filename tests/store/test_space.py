"""Erased bytes leave the files, space comes back, and neither a kill nor load nor a failing engine loses anything."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import duckdb
import pytest

from tests.store.conftest import FolderBackend
from watchkeeper.kit.errors import StoreError
from watchkeeper.model import Cost
from watchkeeper.store.api import CostChange, Selector, SpanFilter, SpanStore, TraceFilter
from watchkeeper.store.conformance.samples import Maker, refine, stored
from watchkeeper.store.conformance.support import eventually
from watchkeeper.store.duckdb.swap import fresh_path, recover, take_place
from watchkeeper.store.factory import SPANS_FILE, open_span_store

make = Maker()


def _text(number: int) -> str:
    rng = random.Random(number)
    return " ".join("".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=7)) for _ in range(60))


def _holds(folder: Path, text: str) -> bool:
    return any(text.encode() in path.read_bytes() for path in folder.iterdir() if path.is_file())


def test_erased_text_is_in_no_file(folder_backend: FolderBackend) -> None:
    """The words of an erased user stand in the files before reclaiming, log included, and nowhere after it."""
    assert folder_backend.folder is not None
    store = folder_backend.open()
    secrets = "Zaphodsecretone", "Zaphodsecrettwo"
    for number in range(1, 2_000):
        stored(store, make.span(number, 1, at=number, text=_text(number)))
    stored(store, make.span(5_000, 1, user_id="zaphod", text=f"{secrets[0]} {_text(1)}"))
    store._writer.do(lambda db: db.execute("CHECKPOINT")).result()  # type: ignore[attr-defined]
    stored(store, make.span(5_001, 1, user_id="zaphod", input=f"{secrets[1]} {_text(2)}"))
    store.erase("default", Selector(users=("zaphod",)))
    assert any(_holds(folder_backend.folder, secret) for secret in secrets)
    assert store.reclaim().rewritten
    assert not any(_holds(folder_backend.folder, word) for word in (*secrets, "zaphod"))
    assert store.stats().spans == 1_999


def test_the_file_becomes_smaller(folder_backend: FolderBackend) -> None:
    """After half is deleted by age and the space reclaimed, the file is about half as large."""
    store = folder_backend.open()
    for first in range(1, 20_000, 2_000):
        stored(store, *(make.span(n, 1, at=n, service="a", text=_text(n)) for n in range(first, first + 2_000)))
    assert store.reclaim(force=True).rewritten
    before = store.stats().disk_bytes
    cut = make.span(1, 1, at=10_000).start_time
    while store.expire("default", "a", cut).more:
        pass
    report = store.reclaim(force=True)
    assert report.after < 0.65 * before
    assert store.stats().disk_bytes == report.after


def test_nothing_is_done_where_nothing_is_gained(folder_backend: FolderBackend) -> None:
    """A store of which nothing was erased is left alone unless it is forced."""
    store = folder_backend.open()
    stored(store, make.span(1, 1))
    assert not store.reclaim().rewritten


def test_reads_and_writes_go_on(folder_backend: FolderBackend) -> None:
    """While the file is rewritten again and again, no read or write fails, and every acknowledged span is there once."""
    store = folder_backend.open()
    for first in range(1, 6_000, 1_000):
        stored(store, *(make.span(n, 1, at=n, text=_text(n)) for n in range(first, first + 1_000)))
    stop = threading.Event()
    failures: list[BaseException] = []
    acknowledged: list[int] = []

    def write() -> None:
        number = 10_000
        while not stop.is_set():
            number += 1
            stored(
                store,
                make.span(number, 1, at=number % 7_000, text="new"),
                make.span(number % 5_000 + 1, 1, late=number),
            )
            acknowledged.append(number)

    def read() -> None:
        while not stop.is_set():
            store.list_traces("default", TraceFilter(), limit=20)
            store.get_span("default", f"{17:032x}", f"{1:016x}")
            for _ in zip(range(600), store.scan_spans("default", SpanFilter()), strict=False):
                pass

    threads = [threading.Thread(target=_guard(work, failures)) for work in (write, read, read)]
    for thread in threads:
        thread.start()
    for _ in range(4):
        assert store.reclaim(force=True).rewritten
    stop.set()
    for thread in threads:
        thread.join(60)
    assert failures == []
    found = [int(span.trace_id, 16) for span in store.scan_spans("default", SpanFilter())]
    assert len(found) == len(set(found)) == 6_000 + len(acknowledged)
    assert set(acknowledged) <= set(found)
    late = store.get_span("default", f"{acknowledged[-1] % 5_000 + 1:032x}", f"{1:016x}")
    assert late is not None
    assert late.raw.attributes["late"] == acknowledged[-1]


def _guard(work, failures: list[BaseException]):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - a thread's body
    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - told to the main thread
            failures.append(error)

    return run


_CHILD = """
import sys, threading
from pathlib import Path
from watchkeeper.store.api import Selector
from watchkeeper.store.conformance.samples import Maker, refine, stored
from watchkeeper.store.factory import open_span_store

store = open_span_store(Path(sys.argv[1]), refine=refine, memory_mib=256)
base, make, out = int(sys.argv[2]), Maker(), threading.Lock()

def write():
    for number in range(base, base + 100_000):
        stored(store, *(make.span(number, n, at=number, text="y" * 300) for n in range(1, 6)))
        sys.stdout.write(f"{number}\\n"); sys.stdout.flush()

threading.Thread(target=write, daemon=True).start()
while True:
    store.reclaim(force=True)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_kill_while_rewriting_loses_nothing(tmp_path: Path) -> None:
    """Killed eight times while it rewrites itself under load, the store opens with every acknowledged span, once."""
    rng, known = random.Random(8), set[int]()
    for run in range(8):
        words = [sys.executable, "-c", _CHILD, str(tmp_path), str((run + 1) * 1_000_000)]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            for line in child.stdout:
                known.add(int(line))
                if len(known) % 40 == 0:
                    break
            time.sleep(rng.uniform(0, 0.5))
            child.send_signal(signal.SIGKILL)
            known.update(int(line) for line in child.stdout if line.endswith("\n"))
        store = open_span_store(tmp_path, refine=refine, memory_mib=256)
        found = [(span.trace_id, span.span_id) for span in store.scan_spans("default", SpanFilter())]
        counted = store.stats().spans
        store.close()
        assert len(found) == len(set(found)) == counted
        assert {(f"{n:032x}", f"{s:016x}") for n in known for s in range(1, 6)} <= set(found)


@pytest.mark.parametrize("stop", ["before", "marker", "renamed"])
def test_a_swap_is_finished_or_forgotten(tmp_path: Path, stop: str) -> None:
    """Without the marker the old file stays; with it the new one comes, and the old one's log goes."""
    path, log = tmp_path / "s", tmp_path / "s.wal"
    path.write_text("old")
    log.write_text("old log")
    fresh_path(path).write_text("new")
    if stop == "marker":
        (tmp_path / "s.swap").touch()
    if stop == "renamed":
        take_place(path)
        (tmp_path / "s.swap").touch()
        log.write_text("new log")
    recover(path)
    content = path.read_text(), log.read_text() if log.exists() else None
    assert content == {"before": ("old", "old log"), "marker": ("new", None), "renamed": ("new", "new log")}[stop]
    assert sorted(one.name for one in tmp_path.iterdir() if one != log) == ["s"]


def _poison(store: SpanStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the next write fail as an engine does that gives up."""
    writer = store._writer  # type: ignore[attr-defined]
    whole = writer._write

    def once(plan: object, entry: int) -> int:
        monkeypatch.setattr(writer, "_write", whole)
        message = "FATAL Error: database has been invalidated"
        raise duckdb.FatalException(message)

    monkeypatch.setattr(writer, "_write", once)


def test_a_failed_engine_is_opened_again(folder_backend: FolderBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a fatal error the batch fails, the store opens its file anew by itself, and all it acknowledged is there."""
    store = folder_backend.open()
    stored(store, make.span(1, 1), make.span(2, 1, at=1))
    _poison(store, monkeypatch)
    with pytest.raises(StoreError):
        stored(store, make.span(3, 1))
    assert eventually(lambda: _works(store))
    assert store.get_span("default", f"{3:032x}", f"{1:016x}") is None
    assert stored(store, make.span(1, 1), make.span(3, 1)).outcomes == ("unchanged", "inserted")
    assert len(list(store.scan_spans("default", SpanFilter()))) == store.stats().spans == 4


def _works(store: SpanStore) -> bool:
    try:
        return stored(store, make.span(9, 1, at=9)).outcomes != ()
    except StoreError:
        return False


def test_a_copy_is_given_up_when_the_engine_fails(
    folder_backend: FolderBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rewrite under way when the engine fails ends with an error, leaves no scrap, and works the next time."""
    store = folder_backend.open()
    stored(store, *(make.span(n, 1, at=n) for n in range(1, 100)))
    copier = store._copier  # type: ignore[attr-defined]
    whole = copier._slices

    def failing(*args: object) -> None:
        whole(*args)
        _poison(store, monkeypatch)
        with pytest.raises(StoreError):
            stored(store, make.span(200, 1))
        assert eventually(lambda: _works(store))

    with monkeypatch.context() as patch:
        patch.setattr(copier, "_slices", failing)
        with pytest.raises(StoreError):
            store.reclaim(force=True)
    assert folder_backend.folder is not None
    assert not fresh_path(folder_backend.folder / SPANS_FILE).exists()
    assert store.reclaim(force=True).rewritten
    assert store.stats().spans == 99


def test_a_cost_that_changes_while_the_file_is_copied_is_in_the_copy(folder_backend: FolderBackend) -> None:
    """A span priced anew after its part of the store was copied has its new cost in the copy too."""
    assert folder_backend.folder is not None
    store = folder_backend.open()
    stored(store, *(make.span(n, 1, at=n, kind="llm", cost=5) for n in range(1, 11)))
    calls = store.priced_spans("default", SpanFilter()).items
    after = Cost(state="computed", nano=9, nano_usd=9, source="new")
    changes = [
        CostChange(
            trace_id=one.trace_id, span_id=one.span_id, start_time=one.start_time, before=one.cost, after=after
        )
        for one in calls
    ]  # fmt: skip
    left = [changes]
    target = folder_backend.folder / "copy.duckdb"
    store.backup(
        target, together=lambda: None,
        progress=lambda done, whole: None if done < whole or not left else _reprice(store, left.pop()),
    )  # fmt: skip
    with duckdb.connect(str(target), read_only=True) as copy:
        found = copy.execute("SELECT DISTINCT cost_nano, price_source FROM spans").fetchall()

    assert left == []
    assert found == [(9, "new")]


def _reprice(store: SpanStore, changes: list[CostChange]) -> None:
    assert store.reprice("default", changes) == len(changes)
