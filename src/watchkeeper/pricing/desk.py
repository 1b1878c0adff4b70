"""Prices for people to look at: what a model costs and why, where tables differ, and how old they are."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

import msgspec

from watchkeeper.kit.clock import format_rfc3339
from watchkeeper.pricing import catalogue
from watchkeeper.pricing.plan import Plan
from watchkeeper.pricing.pricer import Pricer
from watchkeeper.pricing.rates import BUCKETS, Rate, Rates
from watchkeeper.pricing.second import second_table

__all__ = ["Ages", "BucketPrice", "PriceDesk", "Priced", "Surcharge", "Verdict"]

Verdict = Literal["agreed", "single", "disputed", "override", "on_premises", "unpriced"]

_NANO = 1_000_000_000
_DAY_NS = 86_400 * 1_000_000_000
_TOLERANCE = Decimal("0.01")


class BucketPrice(msgspec.Struct, frozen=True, kw_only=True):
    """A million tokens of one kind: the price used, the second table's, and by how many percent that differs.

    `tiers` are dearer prices, each with the input tokens above which it holds.
    """

    bucket: str
    price: str
    tiers: tuple[tuple[int, str], ...] = ()
    second: str | None = None
    differs: str | None = None


class Surcharge(msgspec.Struct, frozen=True, kw_only=True):
    """What is charged on top for a region."""

    name: str
    percent: str
    source: str


class Priced(msgspec.Struct, frozen=True, kw_only=True):
    """How calls of a model are priced at a time; without a price `reason` says why."""

    provider: str | None
    model: str
    at: int
    verdict: Verdict
    currency: str = "USD"
    source: str | None = None
    version: str | None = None
    reason: str | None = None
    second: str | None = None
    prices: tuple[BucketPrice, ...] = ()
    uplifts: tuple[Surcharge, ...] = ()


class Ages(msgspec.Struct, frozen=True, kw_only=True):
    """How old what prices rest on is: days since the second table was taken, and since the last exchange rate."""

    table: str
    second_table: str
    second_table_taken: str
    second_table_days: int
    rates_last: str
    rates_days: int
    overrides: str | None
    error: str | None


class PriceDesk:
    """Answers from the prices in force."""

    def __init__(self, pricer: Pricer) -> None:
        self._pricer = pricer

    def show(
        self, provider: str | None, model: str, time_ns: int, *, host: str | None = None, region: str | None = None
    ) -> Priced:
        """Return how a model's calls at that time are priced."""
        self._pricer.refresh()
        pool = self._pricer.pools.find(provider, (model,), host, time_ns)
        if pool is not None:
            each = _money(pool.hourly_nano)
            return Priced(
                provider=provider, model=model, at=time_ns, verdict="on_premises", currency=pool.currency,
                source=pool.source, version=f"{pool.name}: {pool.replicas} x {each} {pool.currency} an hour",
                reason="shared among the calls of each hour; see `watchkeeper prices hours`",
            )  # fmt: skip
        plan = self._pricer.plan(provider, model, time_ns, host=host, region=region)
        if plan is None:
            named = provider or "an unnamed provider"
            return Priced(
                provider=provider, model=model, at=time_ns, verdict="unpriced",
                reason=f"no price is known for {named} {model}",
            )  # fmt: skip
        return _priced(plan, provider, model, time_ns)

    def ages(self, now_ns: int) -> Ages:
        """Return how old the tables are."""
        told, second = self._pricer.describe(), second_table()
        last = max(table.last for table in self._pricer.exchange.tables)
        return Ages(
            table=f"{catalogue.SOURCE} {catalogue.catalogue_version()}", second_table=second.name,
            second_table_taken=second.taken, second_table_days=(now_ns - second.taken_ns) // _DAY_NS,
            rates_last=last, rates_days=_days(last, now_ns), overrides=told["overrides"], error=told["error"],
        )  # fmt: skip


def _priced(plan: Plan, provider: str | None, model: str, time_ns: int) -> Priced:
    second = plan.second_rates
    prices = tuple(found for name in BUCKETS if (found := _bucket(name, plan.rates, second)) is not None)
    verdict, reason = plan.reason.partition(":")[0], plan.reason
    if any(one.differs for one in prices):
        verdict, reason = "disputed", f"disputed: {plan.second_name} differs; {plan.source} is used"
    return Priced(
        provider=provider, model=model, at=time_ns, verdict=verdict,  # type: ignore[arg-type]  # a confidence's word
        currency=plan.currency, source=plan.source, version=plan.version, reason=reason,
        second=plan.second_name or None, prices=prices,
        uplifts=tuple(
            Surcharge(name=one.name, percent=f"{Decimal(one.permille) / 10:f}", source=one.source)
            for one in plan.uplifts
        ),
    )  # fmt: skip


def _bucket(name: str, rates: Rates, second: Rates | None) -> BucketPrice | None:
    ours: Rate | None = getattr(rates, name)
    theirs: Rate | None = getattr(second, name) if second is not None else None
    if ours is None:
        return None
    differs = None
    if theirs is not None and abs(theirs.base - ours.base) > ours.base * _TOLERANCE:
        differs = f"{Decimal(theirs.base - ours.base) * 100 / ours.base:+.1f}" if ours.base else "+inf"
    return BucketPrice(
        bucket=name, price=_money(ours.base), tiers=tuple((start, _money(price)) for start, price in ours.tiers),
        second=None if theirs is None else _money(theirs.base), differs=differs,
    )  # fmt: skip


def _money(nano: int) -> str:
    return f"{(Decimal(nano) / _NANO).normalize():f}"


def _days(day: str, now_ns: int) -> int:
    return (date.fromisoformat(format_rfc3339(now_ns)[:10]) - date.fromisoformat(day)).days if day else 0
