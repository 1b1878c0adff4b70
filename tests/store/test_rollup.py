"""Overviews put together from pieces that are kept are those that are worked out from the rows, whatever happened."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from watchkeeper.model import Cost, Span
from watchkeeper.store.api import CostChange, ModelRow, Overview, Selector, SpanFilter, TimeBucket
from watchkeeper.store.conformance.samples import SECOND, START, Maker, refine, stored
from watchkeeper.store.duckdb.changes import Changes
from watchkeeper.store.duckdb.figures import overview, overview_of_rows
from watchkeeper.store.duckdb.rollup import Rollup
from watchkeeper.store.duckdb.store import DuckdbStore
from watchkeeper.store.figures import steady_end, step_of, width_of
from watchkeeper.store.memory.store import MemoryStore

make = Maker()
HOUR = 3_600 * SECOND
DAY = 24 * HOUR


@pytest.fixture
def store(tmp_path: Path) -> Iterator[DuckdbStore]:
    """Open a store in a folder of its own."""
    opened = DuckdbStore(tmp_path / "spans.duckdb", refine=refine, memory_mib=256, queue_bytes=64 << 20)
    yield opened
    opened.close()


def _close(one: object, two: object) -> bool:
    """Say whether two answers are the same; the engine rounds the half between two ranks its own way, by 1 ns."""
    if isinstance(one, Overview | TimeBucket | ModelRow) and type(one) is type(two):
        return all(
            abs(a - b) <= 1 if name.startswith("p") and isinstance(a, int) and isinstance(b, int) else _close(a, b)
            for name in one.__struct_fields__
            for a, b in [(getattr(one, name), getattr(two, name))]
        )
    if isinstance(one, tuple) and isinstance(two, tuple):
        return len(one) == len(two) and all(map(_close, one, two))
    return one == two


class _World:
    """Does random things to two stores, and compares what they tell."""

    def __init__(self, store: DuckdbStore, seed: int) -> None:
        self.random = random.Random(seed)
        self.store = store
        self.memory = MemoryStore(refine=refine, queue_bytes=64 << 20)
        self.spans: list[Span] = []
        self.serial = 0

    def write(self) -> None:
        """Bring new spans, of any time of the day."""
        self._both(*(self._span(self.random.uniform(0, 86_400)) for _ in range(self.random.randint(1, 40))))

    def late(self) -> None:
        """Bring spans of one minute, as a stream does."""
        at = self.random.uniform(0, 86_400)
        self._both(*(self._span(at + self.random.uniform(0, 60)) for _ in range(10)))

    def resend(self) -> None:
        """Bring stored spans again, some of them with other attributes, times or service."""
        for span in self.random.sample(self.spans, min(5, len(self.spans))):
            more = {"tokens": self.random.randint(0, 99), "status": self.random.choice(["ok", "error"])}
            attributes = {**span.raw.attributes, **(more if self.random.random() < 0.7 else {})}
            moved = self.random.choice([0, 0, 7 * SECOND, -3 * HOUR])
            raw = msgspec.structs.replace(
                span.raw, attributes=attributes, start_time=span.raw.start_time + moved,
                end_time=span.raw.end_time + moved + self.random.randint(0, SECOND),
            )  # fmt: skip
            self._both(refine(span.project, raw, START))

    def erase(self) -> None:
        """Erase a user's traces."""
        for store in (self.store, self.memory):
            store.erase("default", Selector(users=(f"u{self.serial % 7}",)))

    def expire(self) -> None:
        """Delete the oldest spans of a service."""
        before = START + round(self.random.uniform(0, 9_000)) * SECOND
        for store in (self.store, self.memory):
            store.expire("default", "a", before)

    def reprice(self) -> None:
        """Price some calls anew."""
        found = self.memory.priced_spans("default", SpanFilter(), limit=1_000).items
        nano = self.random.randint(1, 10**9)
        after = Cost(state="computed", nano=nano, currency="USD", nano_usd=nano, source="table", version="2")
        changes = [
            CostChange(trace_id=one.trace_id, span_id=one.span_id, start_time=one.start_time, before=one.cost, after=after)
            for one in self.random.sample(found, min(4, len(found)))
        ]  # fmt: skip
        assert self.store.reprice("default", changes) == self.memory.reprice("default", changes)

    def reclaim(self) -> None:
        """Let the file be written anew."""
        self.store.reclaim(force=True)

    def look(self) -> None:
        """Compare what is told of some window with what the rows tell, and with the other store."""
        since = START + self.random.choice([0, HOUR, 12_345_678_901, self.random.randint(0, DAY // 2)])
        until = since + self.random.choice([DAY, DAY // 2 + 1, HOUR])
        buckets, service = self.random.choice([1, 7, 24, 60]), self.random.choice([None, None, "a", "nobody"])
        found = self.store.overview("default", since=since, until=until, service=service, buckets=buckets)
        step = step_of(since, until, buckets)
        assert width_of(step) is None or self.store._rollup.find("default", since=since, until=until, step=step)
        fresh = overview(
            self.store._reader, Rollup(self.store._reader, self.store._writer.changes), "default",
            since=since, until=until, service=service, buckets=buckets,
        )  # fmt: skip
        assert found == fresh
        rows = overview_of_rows(
            self.store._reader, "default", since=since, until=until, service=service, buckets=buckets
        )
        assert _close(found, rows)
        assert _close(
            found, self.memory.overview("default", since=since, until=until, service=service, buckets=buckets)
        )

    def _span(self, at: float) -> Span:
        self.serial += 1
        given = {"cost": self.random.randint(0, 10**6)} if self.random.random() < 0.8 else {}
        return make.span(
            self.serial // 3, self.serial, at=at, takes=self.random.uniform(0.001, 40), user_id=f"u{self.serial % 50}",
            kind=self.random.choice(["llm", "llm", "embedding", "tool"]), service=self.random.choice("abc"),
            provider=self.random.choice(["p", "q"]), model=self.random.choice(["m", "n", "o"]),
            tokens=self.random.randint(0, 1_000), status=self.random.choice(["ok", "ok", "error"]), **given,
        )  # fmt: skip

    def _both(self, *spans: Span) -> None:
        self.spans.extend(spans)
        stored(self.store, *spans)
        stored(self.memory, *spans)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happened(store: DuckdbStore, seed: int) -> None:
    """After any writes, late spans, resends, erasures, expiry and new prices, what is told is true."""
    world = _World(store, seed)
    acts: list[Callable[[], None]] = [
        world.write, world.write, world.late, world.late, world.resend, world.erase, world.expire, world.reprice,
        world.reclaim,
    ]  # fmt: skip
    world.write()
    for _ in range(25):
        world.random.choice(acts)()
        world.look()


def test_only_what_changed_is_read(store: DuckdbStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A window that was asked for before reads the pieces that changed, and no more."""
    stored(store, *(make.span(n, 1, at=n * 600, kind="llm", model="m") for n in range(100)))
    store.overview("default", since=START, until=START + DAY)
    asked: list[set[int]] = []
    ask = store._rollup._ask

    def told(kept: Any, window: Any, pieces: Any) -> Any:
        asked.append(set(pieces))
        return ask(kept, window, pieces)

    monkeypatch.setattr(store._rollup, "_ask", told)
    store.overview("default", since=START, until=START + DAY)
    stored(store, make.span(500, 1, at=30, kind="llm"), make.span(501, 1, at=7_200, kind="llm"))
    found = store.overview("default", since=START, until=START + DAY)
    assert ([{START // (20 * SECOND) + 1, (START + 7_200 * SECOND) // (20 * SECOND)}], 102) == (asked, found.requests)


def test_no_answer_is_of_two_moments(store: DuckdbStore) -> None:
    """While one commit after another writes to two distant times, an answer holds as many calls of each."""
    stop = threading.Event()

    def write() -> None:
        for n in range(1, 10_000):
            if stop.is_set():
                return
            stored(store, make.span(n, 1, at=100, kind="llm"), make.span(n, 2, at=80_000, kind="llm"))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        answers = [store.overview("default", since=START, until=START + DAY, buckets=2) for _ in range(60)]
    finally:
        stop.set()
        writer.join()
    assert [one for one in answers if one.buckets[0].requests != one.buckets[1].requests] == []


def test_bounded(store: DuckdbStore) -> None:
    """What does not fit is worked out from the rows, and nothing is kept of it."""
    stored(store, *(make.span(n, 1, at=n * 60, kind="llm") for n in range(500)))
    small = Rollup(store._reader, store._writer.changes, most_bytes=100_000)
    step = step_of(START, START + DAY, 60)
    first = small.find("default", since=START, until=START + DAY, step=step)
    assert (first is None, small.find("default", since=START, until=START + DAY, step=step)) == (False, None)
    assert sum(kept.nbytes for kept in small._kept.values()) == 0


def test_a_change_is_told_while_it_is_written() -> None:
    """A second is told as changed from before its commit until somebody has asked after it."""
    changes = Changes()
    with changes.between(5 * SECOND, 6 * SECOND):
        during = changes.since(0)
    after = changes.since(during.number)
    later = changes.since(after.number)
    assert (frozenset({5, 6}), frozenset({5, 6}), frozenset()) == (during.seconds, after.seconds, later.seconds)


def test_too_many_changes_are_all() -> None:
    """Where the changed seconds are too many to remember, anything may have changed."""
    changes = Changes()
    with changes.between(0, DAY):
        pass
    assert changes.since(0).seconds is None


def test_a_sliding_window_cuts_no_piece() -> None:
    """The end that is chosen makes every bucket as wide as so many whole pieces."""
    end = steady_end(START, START + DAY + 61 * SECOND, 60)
    step = step_of(START, end, 60)
    assert (step % (width_of(step) or 0), end >= START + DAY + 61 * SECOND) == (0, True)
