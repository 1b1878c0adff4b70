"""The housekeeper: what it deletes, when it writes the store anew, and what it says when something goes wrong."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from watchkeeper.kit.errors import StoreError
from watchkeeper.kit.settings import ServerSettings
from watchkeeper.server import assemble
from watchkeeper.server.retention import Housekeeper
from watchkeeper.server.retention import keeper as module
from watchkeeper.store.api import EXPIRE_MOST, ReclaimReport, Selector, SpanFilter, SpanStore
from watchkeeper.store.conformance.samples import SECOND, START, Maker, refine, stored
from watchkeeper.store.conformance.support import eventually
from watchkeeper.store.factory import open_span_store

make = Maker()
DAY = 86_400


class Hands:
    """A clock that stands where it is put."""

    def __init__(self, days: float = 0.0) -> None:
        self.now = START + round(days * DAY) * SECOND

    def now_ns(self) -> int:
        return self.now


@pytest.fixture(name="store")
def _store(tmp_path: Path) -> Iterator[SpanStore]:
    opened = open_span_store(tmp_path / "data", refine=refine, memory_mib=256)
    yield opened
    opened.close()


def _keeper(store: SpanStore, days: Callable[[str], int | None], clock: Hands, period: float = 3_600.0) -> Housekeeper:
    return Housekeeper(store, days, clock, period=period)


def _left(store: SpanStore, project: str = "default") -> set[tuple[str, int]]:
    return {
        (span.service, (span.start_time - START) // (DAY * SECOND)) for span in store.scan_spans(project, SpanFilter())
    }


def _filled(store: SpanStore) -> None:
    spans = [
        made.span(trace + day, 1, at=day * DAY, service=service)
        for trace, service in ((100, "bot"), (200, "search"), (300, "other"))
        for day in range(10)
        for made in (make, Maker("p2"))
    ]
    stored(store, *spans)


def test_each_service_has_its_own_age(store: SpanStore) -> None:
    """Spans older than their service's days go, in every project; a service without an age keeps all."""
    _filled(store)
    keeper = _keeper(store, {"bot": 3, "search": 7}.get, Hands(days=10))
    keeper.expire()
    expected = {("bot", day) for day in range(7, 10)} | {("search", day) for day in range(3, 10)}
    expected |= {("other", day) for day in range(10)}

    assert _left(store) == _left(store, "p2") == expected
    assert keeper.report.spans == 2 * (7 + 3)
    assert keeper.report.last_run == Hands(days=10).now


def test_the_edge_of_an_age_is_kept(store: SpanStore) -> None:
    """A span that is exactly as old as its service allows stays; one a nanosecond older goes."""
    stored(store, make.span(1, 1, service="bot"), make.span(2, 1, at=-1e-9, service="bot"))
    _keeper(store, lambda _: 3, Hands(days=3)).expire()

    assert [span.trace_id for span in store.scan_spans("default", SpanFilter())] == [f"{1:032x}"]


def test_nothing_goes_without_a_policy(store: SpanStore) -> None:
    """Where no service has an age nothing is deleted, whatever the time, and the run is still noted."""
    _filled(store)
    keeper = _keeper(store, lambda _: None, Hands(days=100_000))
    keeper.expire()

    assert store.stats().spans == 60
    assert (keeper.report.spans, keeper.report.last_run) == (0, Hands(days=100_000).now)


def test_a_changed_policy_holds_from_the_next_run(store: SpanStore) -> None:
    """The age is asked for at each run, so that a changed manifest needs no restart."""
    _filled(store)
    days = {"bot": 9}
    keeper = _keeper(store, days.get, Hands(days=10))
    keeper.expire()
    first = len(_left(store))
    days["bot"] = 1
    keeper.expire()

    assert (first, {day for service, day in _left(store) if service == "bot"}) == (29, {9})


def test_more_than_one_step_is_deleted(store: SpanStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is more than one step is deleted in several, with a rest after each."""
    steps: list[int] = []
    expire = store.expire

    def few(project: str, service: str, before: int, *, most: int = EXPIRE_MOST) -> object:
        steps.append(most)
        return expire(project, service, before, most=4)

    monkeypatch.setattr(store, "expire", few)
    stored(store, *(make.span(n, 1, at=n, service="bot") for n in range(1, 19)))
    keeper = _keeper(store, lambda _: 1, Hands(days=10))
    keeper.expire()

    assert (store.stats().spans, keeper.report.spans) == (0, 18)
    assert len(steps) > 3


def test_it_stops_between_steps(store: SpanStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked to end, it ends after the step under way and leaves the rest for the next start."""
    keeper = _keeper(store, lambda _: 1, Hands(days=10))
    expire = store.expire

    def once(project: str, service: str, before: int) -> object:
        keeper.close()
        return expire(project, service, before, most=4)

    monkeypatch.setattr(store, "expire", once)
    stored(store, *(make.span(n, 1, at=n, service="bot") for n in range(1, 19)))
    keeper.expire()

    assert 0 < store.stats().spans < 18


def test_a_small_store_is_written_anew_soon_after_an_erasure(store: SpanStore) -> None:
    """Once told that something was erased, the thread gives its bytes back without waiting for the period."""
    stored(store, make.span(1, 1, user_id="ada"), make.span(2, 1))
    keeper = _keeper(store, lambda _: None, Hands(), period=1e6)
    keeper.start()
    store.erase("default", Selector(users=("ada",)))
    keeper.look()
    done = eventually(lambda: store.stats().reclaim_due is None)
    keeper.close()

    assert done
    assert keeper.report.last_reclaim is not None


def test_a_large_store_waits_a_day(store: SpanStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large store is written anew only when the oldest erasure is a day old."""
    stored(store, make.span(1, 1, user_id="ada"))
    store.erase("default", Selector(users=("ada",)))
    due = store.stats().reclaim_due
    assert due is not None
    clock = Hands()
    keeper = _keeper(store, lambda _: None, clock)
    monkeypatch.setattr(module, "_SMALL", 1)
    found = []
    for age in (0, DAY * SECOND - 1, DAY * SECOND):
        clock.now = due + age
        found.append(keeper.is_due())

    assert found == [False, False, True]


def test_nothing_erased_is_nothing_due(store: SpanStore) -> None:
    """A store of which nothing was erased is never due, however small or old."""
    stored(store, make.span(1, 1))
    assert not _keeper(store, lambda _: None, Hands(days=10_000)).is_due()


def test_the_thread_runs_on_its_period(store: SpanStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Started, it deletes by age on its own, run after run."""
    monkeypatch.setattr(module, "_LOOK", 0.01)
    keeper = _keeper(store, lambda _: 1, Hands(days=10), period=0.01)
    keeper.start()
    stored(store, make.span(1, 1, service="bot"))
    first = eventually(lambda: store.stats().spans == 0)
    stored(store, make.span(2, 1, service="bot"))
    second = eventually(lambda: store.stats().spans == 0)
    keeper.close()

    assert (first, second) == (True, True)


def test_a_failure_is_said_and_does_not_end_it(
    store: SpanStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A run that fails is logged and reported; the next one works and takes the report back."""
    monkeypatch.setattr(module, "_LOOK", 0.01)
    left = [3]
    services = store.services

    def failing() -> object:
        if left[0]:
            left[0] -= 1
            raise StoreError("the disk said no")
        return services()

    monkeypatch.setattr(store, "services", failing)
    stored(store, make.span(1, 1, service="bot"))
    keeper = _keeper(store, lambda _: 1, Hands(days=10), period=0.01)
    with caplog.at_level(logging.WARNING, "watchkeeper.server"):
        keeper.start()
        done = eventually(lambda: store.stats().spans == 0)
        healed = eventually(lambda: not keeper.report.failure)
        keeper.close()

    assert (done, healed) == (True, True)
    assert [record.getMessage() for record in caplog.records] == ["housekeeping: the disk said no"] * 3


def test_a_rewrite_that_fails_is_not_tried_at_once(store: SpanStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a failed rewrite it waits before the next, so that a full disk is not hammered."""
    monkeypatch.setattr(module, "_LOOK", 0.01)
    tries: list[bool] = []

    def reclaim(*, force: bool = False) -> ReclaimReport:
        tries.append(force)
        raise StoreError("no room")

    stored(store, make.span(1, 1, user_id="ada"))
    store.erase("default", Selector(users=("ada",)))
    monkeypatch.setattr(store, "reclaim", reclaim)
    keeper = _keeper(store, lambda _: None, Hands(), period=1e6)
    keeper.start()
    keeper.look()
    failed = eventually(lambda: keeper.report.failure == "no room")
    for _ in range(20):
        keeper.look()
        keeper._stop.wait(0.01)
    keeper.close()

    assert failed
    assert len(tries) == 1


def test_the_settings_reach_it(tmp_path: Path) -> None:
    """WATCHKEEPER_RETENTION and its minutes are what the server's own housekeeper goes by, and the status shows its work."""
    services = assemble(ServerSettings(retention="2d", retention_minutes=5), tmp_path)
    stored(services.store, make.span(1, 1))
    services.keeper.expire()
    status = services.status.status("default", whole=True)
    period = services.keeper._period
    services.close()

    assert (period, status.spans, status.housekeeping.expired_spans) == (300.0, 0, 1)


@pytest.mark.parametrize(
    ("kept", "retention", "left"), [(30, None, ["3"]), (30, "5d", []), (0, None, []), (90, "80d", ["1", "3"])]
)
def test_what_was_set_aside_goes_by_its_age(tmp_path: Path, kept: int, retention: str | None, left: list[str]) -> None:
    """Exports that could not be stored are kept for their days, and never longer than the shortest retention."""
    clock = Hands(100)
    services = assemble(ServerSettings(kept_days=kept, retention=retention), tmp_path, clock)
    folder = tmp_path / "spans.duckdb.journal"
    for name, age in (("1", 40), ("2", 90), ("3", 10)):
        (folder / f"{name}.refused").write_bytes(b"x")
        since = clock.now_ns() - age * DAY * SECOND
        os.utime(folder / f"{name}.refused", ns=(since, since))

    services.keeper.expire()
    found = sorted(path.stem for path in folder.glob("*.refused"))
    services.close()

    assert left == found
