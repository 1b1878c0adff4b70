"""Prices for the API: pricing anew, and hours of on-premises models."""

from __future__ import annotations

from watchkeeper.kit.clock import Clock
from watchkeeper.kit.errors import RequestError
from watchkeeper.model import Cost, Span
from watchkeeper.pricing import HOUR, PriceDesk, Pricer
from watchkeeper.server.prices.backfill import reprice
from watchkeeper.server.prices.display import Display
from watchkeeper.server.prices.hours import HourLine, Hours
from watchkeeper.server.prices.schemas import (
    AgesOut,
    BackfillIn,
    BackfillOut,
    CheckedOut,
    CheckOut,
    HourOut,
    HoursOut,
    PricedOut,
)
from watchkeeper.server.request import nanoseconds
from watchkeeper.server.schemas import plain
from watchkeeper.store.api import SpanFilter, SpanStore

__all__ = ["PriceService"]

_MOST_TIME = 2**62
_HOURS = "hours:"
_STEP_HOURS = 24
_MOST_HOURS = 24 * 31
_DAY = 24 * HOUR


class PriceService:
    """Prices stored calls of one project anew, a step at a time; between steps anything else may be written."""

    def __init__(self, store: SpanStore, pricer: Pricer, clock: Clock, display: Display) -> None:
        self._store = store
        self._clock = clock
        self._display = display
        self._desk = PriceDesk(pricer)
        self.pricer = pricer
        self.hours = Hours(store, pricer, clock)

    def backfill(self, project: str, wanted: BackfillIn) -> BackfillOut:
        """Take one step: first through the calls, then, unless a service or model is named, through the hours.

        Raises:
            RequestError: a time or the cursor is malformed.
        """
        where = SpanFilter(
            since=nanoseconds("since", wanted.since), until=nanoseconds("until", wanted.until),
            service=wanted.service, model=wanted.model,
        )  # fmt: skip
        if wanted.cursor is not None and wanted.cursor.startswith(_HOURS):
            return self._backfill_hours(project, where, wanted)
        page = self._store.priced_spans(project, where, limit=wanted.limit, cursor=wanted.cursor)
        found = reprice(page.items, self._cost_of, provided=wanted.provided)
        changed = len(found.changes) if wanted.dry_run else self._store.reprice(project, found.changes)
        then = page.next_cursor
        if then is None and where.service is None and where.model is None and self.pricer.pools:
            then = f"{_HOURS}0"
        return BackfillOut(
            calls=len(page.items), changed=changed, provided=found.provided, kept=found.kept,
            missed=len(found.changes) - changed,
            before_nano_usd=found.before, after_nano_usd=found.after,  # type: ignore[arg-type]  # Big takes the number
            reached=page.items[-1].start_time if page.items else None,
            total=self._count(project, where) if wanted.cursor is None else None,
            next_cursor=then, display=self._display.now(),
        )  # fmt: skip

    def show(self, model: str, provider: str | None, at: int | None, host: str | None, region: str | None) -> PricedOut:
        """Return how a model's calls are priced, today by default."""
        moment = self._clock.now_ns() if at is None else at
        return PricedOut.model_validate(plain(self._desk.show(provider, model, moment, host=host, region=region)))

    def check(self, project: str, since: int | None, until: int | None, *, whole: bool) -> CheckOut:
        """Return how the models that were called in a window (30 days by default) are priced, and how old tables are.

        Only with `whole` the price file's place and error are told.

        Raises:
            RequestError: the window is empty.
        """
        now = self._clock.now_ns()
        end = now if until is None else until
        start = max(0, end - 30 * _DAY) if since is None else since
        if start >= end:
            raise RequestError("since is not before until")
        rows = self._store.overview(project, since=start, until=end, buckets=1).models
        return CheckOut(
            since=start, until=end,  # type: ignore[arg-type]  # Time takes the number
            ages=AgesOut.model_validate(plain(self._desk.ages(now)) | ({} if whole else {"overrides": None, "error": None})),
            models=[
                CheckedOut(
                    calls=row.requests, unpriced=row.unpriced, priced=self.show(row.model, row.provider, now, None, None)
                )
                for row in sorted(rows, key=lambda one: -one.requests)
                if row.model is not None
            ],
        )  # fmt: skip

    def show_hours(self, project: str, since: int | None, until: int | None, *, whole: bool) -> HoursOut:
        """Return the hours of a window (the last day by default); with `whole` also what others used, and idle.

        Raises:
            RequestError: the window is empty, or longer than 31 days.
        """
        end = self._clock.now_ns() if until is None else until
        start = max(0, end - _DAY) if since is None else since
        if not start < end <= start + _MOST_HOURS * HOUR:
            raise RequestError("since is not before until, or more than 31 days", hint="ask for a shorter window")
        lines = self.hours.lines(start, end, project)
        return HoursOut(
            since=start, until=end, whole=whole,  # type: ignore[arg-type]  # Time takes the number
            own_nano_usd=_sum([one.own_usd for one in lines]),  # type: ignore[arg-type]
            idle_nano_usd=_sum([one.idle_usd for one in lines]) if whole else None,  # type: ignore[arg-type]
            display=self._display.at(end - 1),
            hours=[_hour(one, whole=whole) for one in lines],
        )  # fmt: skip

    def idle_nano_usd(self, since: int, until: int, project: str) -> int | None:
        """Return what nobody used of the hours that began in a window, None where there are no such machines."""
        if not self.pricer.pools:
            return None
        return _sum([one.idle_usd for one in self.hours.lines(since, until, project)])

    def _backfill_hours(self, project: str, where: SpanFilter, wanted: BackfillIn) -> BackfillOut:
        done = str(wanted.cursor).removeprefix(_HOURS)
        if not done.isdecimal():
            raise RequestError("the cursor is malformed", hint="send next_cursor as it was given")
        left = self.hours.over(max(int(done), where.since or 0), where.until)
        changed = missed = before = after = written = 0
        at = None
        for at in left[:_STEP_HOURS]:
            found = self.hours.share(at, project, dry_run=wanted.dry_run)
            changed, missed = changed + found.changed, missed + found.missed
            before, after = before + found.before, after + found.after
            written += found.written
            if written >= wanted.limit:
                break
        more = at is not None and at < left[-1]
        return BackfillOut(
            calls=0, changed=changed, provided=0, kept=0, missed=missed,
            before_nano_usd=0, after_nano_usd=after - before,  # type: ignore[arg-type]  # the calls were counted before
            reached=at, total=None,  # type: ignore[arg-type]
            next_cursor=f"{_HOURS}{at + HOUR}" if more and at is not None else None, display=self._display.now(),
        )  # fmt: skip

    def _cost_of(self, span: Span) -> Cost | None:
        """Return today's cost, None for what runs on a machine of one's own: its hour will tell."""
        return self.pricer.cost_of(span) if self.pricer.pool_of(span) is None else None

    def _count(self, project: str, where: SpanFilter) -> int:
        figures = self._store.overview(
            project, since=where.since or 0, until=where.until or _MOST_TIME, service=where.service, buckets=1
        )
        return sum(row.requests for row in figures.models if where.model in {None, row.model})


def _sum(amounts: list[int | None]) -> int | None:
    known = [one for one in amounts if one is not None]
    return sum(known) if known or not amounts else None


def _hour(line: HourLine, *, whole: bool) -> HourOut:
    return HourOut.model_validate({
        "start": line.start, "pool": line.pool.name, "currency": line.pool.currency,
        "own_nano": line.own, "own_nano_usd": line.own_usd,
        **({
            "replicas": line.pool.replicas, "calls": line.calls, "unpriced": line.unpriced,
            "input_tokens": line.input_tokens, "output_tokens": line.output_tokens,
            "cost_nano": line.cost, "others_nano": line.others, "idle_nano": line.idle,
            "cost_nano_usd": line.cost_usd, "others_nano_usd": line.others_usd, "idle_nano_usd": line.idle_usd,
        } if whole else {}),
    })  # fmt: skip
