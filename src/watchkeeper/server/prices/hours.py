"""Hours of on-premises models: shared among their calls once they are over, and what nobody used.

A machine's hour is shared among the calls of every project, for they all ran on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from watchkeeper.kit.clock import Clock
from watchkeeper.model import Cost, Span
from watchkeeper.pricing import HOUR, ON_PREM, Pool, Pricer, Run, cost_of_share, share_hour, untold
from watchkeeper.server.prices.backfill import dollars_of, says
from watchkeeper.store.api import CostChange, SpanFilter, SpanStore

__all__ = ["HourLine", "Hours", "Shared"]

_PAGE = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class HourLine:
    """A pool's hour (its first ns), in nano-units of the pool's currency and nano-USD (None without a rate).

    `cost` = `own` + `others` + `idle`, in both. `unpriced` calls have no share, or not yet: until then theirs is in `idle`.
    """

    start: int
    pool: Pool
    calls: int
    unpriced: int
    input_tokens: int
    output_tokens: int
    cost: int
    own: int
    others: int
    idle: int
    cost_usd: int | None
    own_usd: int | None
    others_usd: int | None
    idle_usd: int | None


@dataclass(slots=True)
class Shared:
    """What sharing hours changed in one project: calls, and nano-USD before and after."""

    changed: int = 0
    missed: int = 0
    before: int = 0
    after: int = 0
    written: int = 0


@dataclass(slots=True)
class _Taken:
    """Calls of one pool around an hour: those that began in it, and those that may have run into it."""

    calls: list[Span] = field(default_factory=list)
    spilled: list[Run] = field(default_factory=list)


class Hours:
    """Shares hours, and tells what they cost."""

    def __init__(self, store: SpanStore, pricer: Pricer, clock: Clock) -> None:
        self._store = store
        self._pricer = pricer
        self._clock = clock

    def over(self, since: int | None, until: int | None) -> range:
        """Return the hours (their first ns) that began in [since, until), are over, and may have calls of a pool."""
        self._pricer.refresh()
        if not self._pricer.pools:
            return range(0)
        oldest = min((row.oldest for row in self._store.services()), default=None)
        if oldest is None:
            return range(0)
        start = max(since or 0, self._pricer.pools.first, oldest - oldest % HOUR)
        end = min(self._clock.now_ns() // HOUR * HOUR, until if until is not None else 2**62)
        return range(-(-start // HOUR) * HOUR, end, HOUR)

    def share(self, hour: int, project: str, *, dry_run: bool = False) -> Shared:
        """Share an hour among its calls, of all projects; what is returned tells of one. Doing it again changes nothing."""
        found = Shared()
        for pool, taken in self._taken(hour):
            runs = [_run(pool, call) for call in taken.calls]
            split = share_hour(pool, hour, runs, taken.spilled)
            dollars = self._pricer.exchange.dollars(pool.currency, hour)
            changes: dict[str, list[CostChange]] = {}
            for call, share in zip(taken.calls, split.shares, strict=True):
                after = cost_of_share(pool, hour, share, split, dollars) if _told(call) else untold(pool)
                if call.cost is not None and says(call.cost) == says(after):
                    continue
                changes.setdefault(call.project, []).append(_change(call, after))
            for name, some in changes.items():
                done = len(some) if dry_run else self._write(name, some)
                found.written += done
                if name == project:
                    found.changed += done
                    found.missed += len(some) - done
                    found.before += sum(dollars_of(one.before) for one in some)
                    found.after += sum(dollars_of(one.after) for one in some)
        return found

    def lines(self, since: int, until: int, project: str) -> list[HourLine]:
        """Return the hours that are over, by start and pool."""
        hours = self.over(since, until)
        if not hours:
            return []
        spent: dict[tuple[int, str, str], list[tuple[str, int, int]]] = {}
        counts: dict[tuple[int, str], list[int]] = {}
        for row in self._store.hours(since=hours[0], until=hours[-1] + HOUR, source=ON_PREM):
            told = (row.project, row.cost_nano or 0, row.cost_nano_usd or 0)
            spent.setdefault((row.start, row.source, row.currency), []).append(told)
            tally = counts.setdefault((row.start, row.source), [0, 0, 0, 0])
            for at, more in enumerate((row.calls, row.unpriced, row.input_tokens, row.output_tokens)):
                tally[at] += more
        lines = []
        for hour in hours:
            for pool in self._pricer.pools.at(hour):
                source = f"{ON_PREM}{pool.name}"
                rows = spent.get((hour, source, pool.currency), [])
                lines.append(self._line(hour, pool, project, rows, counts.get((hour, source), [0, 0, 0, 0])))
        return lines

    def _line(
        self, hour: int, pool: Pool, project: str, rows: Sequence[tuple[str, int, int]], counts: Sequence[int]
    ) -> HourLine:
        mine, theirs = ([row for row in rows if (row[0] == project) is own] for own in (True, False))
        own, own_usd = sum(row[1] for row in mine), sum(row[2] for row in mine)
        others, others_usd = sum(row[1] for row in theirs), sum(row[2] for row in theirs)
        dollars = self._pricer.exchange.dollars(pool.currency, hour)
        cost_usd = dollars.of(pool.cost_nano) if dollars is not None else None
        known = cost_usd is not None
        return HourLine(
            start=hour, pool=pool, calls=counts[0], unpriced=counts[1], input_tokens=counts[2], output_tokens=counts[3],
            cost=pool.cost_nano, own=own, others=others, idle=pool.cost_nano - own - others,
            cost_usd=cost_usd, own_usd=own_usd if known else None, others_usd=others_usd if known else None,
            idle_usd=cost_usd - own_usd - others_usd if cost_usd is not None else None,
        )  # fmt: skip

    def _taken(self, hour: int) -> list[tuple[Pool, _Taken]]:
        """Return the calls of each pool in force, in order of start and ids."""
        pools = {one.name: (one, _Taken()) for one in self._pricer.pools.at(hour)}
        if not pools:
            return []
        # A call of up to an hour may have run into this one; only busy time asks for it.
        since = hour - HOUR if any(pool.capacity is None for pool, _ in pools.values()) else hour
        for project in sorted({row.project for row in self._store.services()}):
            for call in self._calls(project, since, hour + HOUR):
                pool = self._pricer.pool_of(call)
                if pool is None or pool.name not in pools or (call.cost is not None and call.cost.state == "provided"):
                    continue
                taken = pools[pool.name][1]
                if call.start_time >= hour:
                    taken.calls.append(call)
                else:
                    taken.spilled.append(_run(pool, call))
        return list(pools.values())

    def _calls(self, project: str, since: int, until: int) -> Iterator[Span]:
        cursor: str | None = None
        while True:
            page = self._store.priced_spans(project, SpanFilter(since=since, until=until), limit=_PAGE, cursor=cursor)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def _write(self, project: str, changes: Sequence[CostChange]) -> int:
        return sum(self._store.reprice(project, changes[at : at + _PAGE]) for at in range(0, len(changes), _PAGE))


def _run(pool: Pool, call: Span) -> Run:
    return Run(call.start_time, call.duration_ns, pool.weight(call.usage))


def _told(call: Span) -> bool:
    return call.usage.input_tokens is not None or call.usage.output_tokens is not None


def _change(call: Span, after: Cost) -> CostChange:
    return CostChange(
        trace_id=call.trace_id, span_id=call.span_id, start_time=call.start_time, before=call.cost, after=after
    )
