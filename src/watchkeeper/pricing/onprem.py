"""Models on machines of your own: they cost by the hour, whether anybody calls them or not.

::

    [[on_prem]]
    name     = "small-on-l40s"
    models   = ["mistral-small-*"]     # globs; with provider and host, globs too, it says which calls run here
    host     = "vllm.gpu.internal"
    replicas = 2
    hourly   = "1.60"                  # one replica's hour
    currency = "EUR"
    from     = 2026-01-01              # days, UTC; a later entry of the same name takes over from its day on
    capacity = 9_000_000               # weighted tokens one replica does in an hour, where you measured it

**An hour costs** replicas x hourly, on the clock's hours, UTC. **Its used part** goes to the calls that began in it,
**the rest is idle**, a line of its own. With a capacity the used part is weighted tokens / capacity. Without one it is
the time replicas were busy: at each moment as many as calls were running, at most all of them.

**A call's share** of the used part is its share of the hour's weighted tokens, where an input token weighs 1, a cached one
`cached_weight` and an output token `output_weight`. By default 0.1 and 4: the median a price list sets them apart by (of
1,002 and 1,824 models in the second table), which is what the market says the work costs. Shares are whole nano-units,
cut by cumulative rounding, so that shares and idle add up to the hour exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import msgspec

from watchkeeper.kit.clock import format_rfc3339
from watchkeeper.kit.errors import ConfigError
from watchkeeper.model import Cost, Usage
from watchkeeper.pricing import toml
from watchkeeper.pricing.exchange import Dollars
from watchkeeper.pricing.rates import half_even

__all__ = [
    "HOUR",
    "ON_PREM",
    "Hour",
    "Pool",
    "Pools",
    "Run",
    "cost_of_share",
    "read_pools",
    "share_hour",
    "untold",
    "waiting",
]

HOUR = 3_600 * 1_000_000_000
"""An hour, ns."""

ON_PREM = "on-premises "
"""What the source of every such cost begins with; the pool's name follows."""

_KNOWN = {
    "name", "provider", "models", "host", "replicas", "hourly", "currency", "from", "until", "capacity",
    "output_weight", "cached_weight", "source",
}  # fmt: skip
_NANO = 1_000_000_000
_THOUSAND = 1_000
_MOST_REPLICAS = 100_000
_MOST_HOURLY = 1_000_000


class Pool(msgspec.Struct, frozen=True, kw_only=True):
    """Replicas of one model at a price an hour. Weights are thousandths of an input token; times ns."""

    name: str
    provider: str
    models: tuple[str, ...]
    host: str | None
    replicas: int
    hourly_nano: int
    currency: str
    capacity: int | None
    output_weight: int
    cached_weight: int
    since: int
    until: int
    source: str

    @property
    def cost_nano(self) -> int:
        """Return what an hour costs, in nano-units of the currency."""
        return self.replicas * self.hourly_nano

    def weight(self, usage: Usage) -> int:
        """Return how much work a call was, in thousandths of an input token."""
        total = usage.input_tokens or 0
        cached = min(usage.cache_read_tokens or 0, total)
        return (
            (total - cached) * _THOUSAND + cached * self.cached_weight + (usage.output_tokens or 0) * self.output_weight
        )

    def runs(self, provider: str, models: tuple[str, ...], host: str) -> bool:
        """Say whether calls of one of the models at that host run here; all lower-case."""
        return (
            fnmatchcase(provider, self.provider)
            and (self.host is None or fnmatchcase(host, self.host))
            and any(fnmatchcase(model, one) for model in models for one in self.models)
        )


class Pools:
    """Every pool of a price file."""

    def __init__(self, entries: tuple[Pool, ...] = ()) -> None:
        self._entries = entries

    def __bool__(self) -> bool:
        """Say whether there is one."""
        return bool(self._entries)

    @property
    def first(self) -> int:
        """Return when the first one begins, ns; the end of time where there is none."""
        return min((one.since for one in self._entries), default=toml.FOREVER)

    def at(self, time_ns: int) -> tuple[Pool, ...]:
        """Return those in force, the last entry of each name."""
        return tuple({one.name: one for one in self._entries if one.since <= time_ns < one.until}.values())

    def find(self, provider: str | None, models: tuple[str, ...], host: str | None, time_ns: int) -> Pool | None:
        """Return the pool a call runs on, the last that matches; None where it runs on none."""
        if not self._entries:
            return None
        told = (provider or "").lower(), tuple(one.lower() for one in models), (host or "").lower()
        return next((one for one in reversed(self.at(time_ns)) if one.runs(*told)), None)


class Run(msgspec.Struct, frozen=True):
    """A call on a pool: when it began and for how long (ns), and its weight."""

    start: int
    duration: int
    weight: int


class Hour(msgspec.Struct, frozen=True, kw_only=True):
    """An hour's cost, split: `cost_nano` = sum of `shares` + `idle_nano`. `shares` are in the order of the calls."""

    cost_nano: int
    used_nano: int
    idle_nano: int
    shares: tuple[int, ...]


def share_hour(pool: Pool, hour: int, runs: Sequence[Run], spilled: Sequence[Run] = ()) -> Hour:
    """Split an hour (its first ns) among the calls that began in it; `spilled` began before it and may have run on."""
    cost = pool.cost_nano
    weights = [one.weight for one in runs]
    total = sum(weights)
    if pool.capacity is not None:
        full = pool.capacity * pool.replicas * _THOUSAND
        used = half_even(cost * min(total, full), full)
    else:
        used = half_even(cost * _busy(hour, pool.replicas, [*spilled, *runs]), pool.replicas * HOUR)
    if not total:
        used = 0
    shares: list[int] = []
    done = given = 0
    for weight in weights:
        done += weight
        reach = used * done // total if total else 0
        shares.append(reach - given)
        given = reach
    return Hour(cost_nano=cost, used_nano=used, idle_nano=cost - used, shares=tuple(shares))


def cost_of_share(pool: Pool, hour: int, nano: int, split: Hour, dollars: Dollars | None) -> Cost:
    """Return a call's share as its cost."""
    each = Decimal(pool.hourly_nano) / _NANO
    used = Decimal(split.used_nano) * 100 / split.cost_nano if split.cost_nano else Decimal(0)
    version = f"hour {format_rfc3339(hour)[:16]}Z: {pool.replicas} x {each:f} {pool.currency}, {used:.1f} % used"
    reason = f"override: a share of its hour by tokens, at a price of your own ({pool.source})"
    if dollars is None:
        reason += f"; no exchange rate of {pool.currency} is known for that day"
    elif dollars.day:
        version += f"; {pool.currency} at the rate of {dollars.day} ({dollars.source})"
    return Cost(
        state="computed", nano=nano, currency=pool.currency, nano_usd=None if dollars is None else dollars.of(nano),
        source=f"{ON_PREM}{pool.name}", version=version, detail={"hour_share": nano}, reason=reason,
    )  # fmt: skip


def waiting(pool: Pool) -> Cost:
    """Return the cost of a call whose hour is not shared yet."""
    return Cost(
        state="unpriced", source=f"{ON_PREM}{pool.name}", reason="on-premises: priced once its hour is over and shared"
    )


def untold(pool: Pool) -> Cost:
    """Return the cost of a call that says no tokens: no share can be worked out, and none is made up."""
    return Cost(state="unpriced", source=f"{ON_PREM}{pool.name}", reason="the span reports no tokens")


def read_pools(told: dict[str, Any], path: Path) -> tuple[Pool, ...]:
    """Read the [[on_prem]] tables of a price file.

    Raises:
        ConfigError: one is wrong; the message says which.
    """
    return tuple(_pool(one, where) for where, one in toml.tables(told, "on_prem", path))


def _pool(told: dict[str, Any], where: str) -> Pool:
    toml.check_keys(told, _KNOWN, where)
    models = told.get("models", ["*"])
    if not isinstance(models, list) or not models or not all(isinstance(one, str) for one in models):
        raise ConfigError(f"{where}: models is not a list of names", hint='for example models = ["mistral-small-*"]')
    if "models" not in told and "host" not in told:
        raise ConfigError(f"{where}: give models or a host", hint="else every call would run there")
    _, since, until = toml.days(told, where)
    hourly = toml.decimal(told.get("hourly"), f"{where}: hourly")
    if hourly > _MOST_HOURLY:
        raise ConfigError(f"{where}: hourly is over {_MOST_HOURLY}")
    return Pool(
        name=str(told.get("name") or told.get("host") or models[0]),
        provider=str(told.get("provider", "*")).lower(),
        models=tuple(one.lower() for one in models),
        host=str(told["host"]).lower() if told.get("host") else None,
        replicas=_count(told.get("replicas", 1), f"{where}: replicas", _MOST_REPLICAS),
        hourly_nano=int((hourly * _NANO).to_integral_value()),
        currency=toml.currency(told.get("currency", "USD"), f"{where}: currency"),
        capacity=_count(told["capacity"], f"{where}: capacity", 10**12) if "capacity" in told else None,
        output_weight=_weight(told.get("output_weight", "4"), f"{where}: output_weight"),
        cached_weight=_weight(told.get("cached_weight", "0.1"), f"{where}: cached_weight"),
        since=since,
        until=until,
        source=str(told.get("source", "your price file")),
    )


def _count(value: object, where: str, most: int) -> int:
    if type(value) is int and 1 <= value <= most:
        return value
    raise ConfigError(f"{where} is {value!r}, not a whole number from 1 to {most}")


def _weight(value: object, where: str) -> int:
    found = toml.decimal(value, where) * _THOUSAND
    if found != found.to_integral_value() or found > _THOUSAND * _THOUSAND:
        raise ConfigError(f"{where} is {value!r}, not a weight up to 1000 with at most three decimals")
    return int(found)


def _busy(hour: int, replicas: int, runs: Sequence[Run]) -> int:
    """Return for how long replicas were busy within the hour, ns summed over them."""
    edges: list[tuple[int, int]] = []
    for one in runs:
        start, end = max(one.start, hour), min(one.start + one.duration, hour + HOUR)
        if start < end:
            edges += ((start, 1), (end, -1))
    busy = running = last = 0
    for at, step in sorted(edges):
        busy += min(running, replicas) * (at - last)
        running, last = running + step, at
    return busy
