"""How calls of one model, endpoint and hour are priced: rates, exchange, uplifts and confidence, worked out once."""

from __future__ import annotations

from watchkeeper.kit.clock import format_rfc3339
from watchkeeper.model import Cost, Usage
from watchkeeper.pricing import catalogue
from watchkeeper.pricing.exchange import Dollars, Exchange
from watchkeeper.pricing.onprem import Pools, waiting
from watchkeeper.pricing.overrides import Entry, Overrides
from watchkeeper.pricing.rates import Rates, Sheet, half_even
from watchkeeper.pricing.second import second_table
from watchkeeper.pricing.uplifts import Uplift, matching

__all__ = ["Plan", "Planner"]

_MOST = 2**62  # leaves room for the exchange into dollars
_THOUSAND = 1_000
_HUNDRED = 100


class Plan:
    """Rates that hold for a while, ready to price one usage after another.

    `second` is the other table's sheet where its totals may differ; `reason` tells the confidence where they cannot.
    """

    __slots__ = (
        "_no_rate", "_sheet", "_too_large", "currency", "dollars", "rates", "reason", "second", "second_name",
        "second_rates", "source", "uplifts", "version",
    )  # fmt: skip

    def __init__(
        self, rates: Rates, currency: str, dollars: Dollars | None, *, source: str, version: str, reason: str,
        uplifts: tuple[Uplift, ...] = (), second: Rates | None = None, second_name: str = "",
    ) -> None:  # fmt: skip
        self.rates = rates
        self.currency = currency
        self.dollars = dollars
        self.source = source
        self.version = version
        self.reason = reason
        self.uplifts = uplifts
        self.second_rates = second
        self.second = None if second is None or second == rates else Sheet(second)
        self.second_name = second_name
        self._sheet = Sheet(rates)
        self._no_rate = Cost(state="unpriced", reason=f"{source} has no rate for a kind of token that was used")
        self._too_large = Cost(state="unpriced", reason="the amount has more than 64 bits")

    def cost(self, usage: Usage) -> Cost:
        """Price a usage that has tokens."""
        detail = self._sheet.price(usage)
        if detail is None:
            return self._no_rate
        nano = sum(detail.values())
        reason = self.reason if self.second is None else self._compare(usage, nano)
        if self.uplifts:
            base = nano
            for one in self.uplifts:
                detail[f"uplift:{one.name}"] = more = half_even(base * one.permille, _THOUSAND)
                nano += more
        if nano > _MOST:
            return self._too_large
        dollars = self.dollars
        nano_usd = nano if self.currency == "USD" else dollars.of(nano) if dollars is not None else None
        return Cost(
            state="computed", nano=nano, currency=self.currency, nano_usd=nano_usd, source=self.source,
            version=self.version, detail=detail, reason=reason,
        )  # fmt: skip

    def _compare(self, usage: Usage, nano: int) -> str:
        """Say whether the second table makes this call as dear, to 1 % of our figure."""
        other = self.second.price(usage) if self.second is not None else None
        if other is None:
            return f"single: {self.second_name} has no rate for a kind of token that was used"
        theirs = sum(other.values())
        if abs(theirs - nano) * _HUNDRED <= nano:
            return self.reason
        percent = f" ({(theirs - nano) * _HUNDRED / nano:+.1f} %)" if nano else ""
        return (
            f"disputed: {self.second_name} makes it {theirs} nano-USD{percent} before uplifts; {self.source} was used"
        )


class Planner:
    """Finds the plan: a pool of your own, your own price, then the first table, then the second."""

    def __init__(self, own: Overrides, packaged: Overrides, uplifts: tuple[Uplift, ...], exchange: Exchange) -> None:
        self._own = packaged + own
        self._uplifts = packaged.uplifts + uplifts
        self._own_uplifts = own.uplifts
        self._exchange = exchange
        self._pools = Pools(own.pools)

    def plan(
        self, provider: str | None, models: tuple[str, ...], time_ns: int, tier: str | None, host: str | None,
        region: str | None,
    ) -> Plan | Cost:  # fmt: skip
        """Return how the first of the models with a price is priced, or the unpriced cost that says why not."""
        pool = self._pools.find(provider, models, host, time_ns)
        if pool is not None:
            return waiting(pool)
        for model in models:
            charged = matching(self._own_uplifts, provider or "", model, host, region, time_ns)
            own = self._own.find(provider, model, time_ns)
            if own is not None:
                return self._from_entry(own, time_ns, charged)
            rates = catalogue.look_up(provider, model, time_ns, tier)
            if rates is not None:
                charged = self._charged(provider, model, host, region, time_ns)
                return _from_tables(rates, provider, model, time_ns, tier, charged)
        for model in models:
            other = second_table().look_up(catalogue.second_id(provider), model, tier)
            if other is not None:
                return _from_second(other, self._charged(provider, model, host, region, time_ns))
        return Cost(state="unpriced", reason=f"no price is known for {provider or 'an unnamed provider'} {models[0]}")

    def _charged(
        self, provider: str | None, model: str, host: str | None, region: str | None, time_ns: int
    ) -> tuple[Uplift, ...]:
        return matching(self._uplifts + self._own_uplifts, provider or "", model, host, region, time_ns)

    def _from_entry(self, entry: Entry, time_ns: int, charged: tuple[Uplift, ...]) -> Plan:
        dollars = self._exchange.dollars(entry.currency, time_ns)
        version, reason = f"from {entry.day}", "override: a price of your own, checked against no table"
        day = format_rfc3339(time_ns)[:10]
        if dollars is None:
            reason += f"; no exchange rate of {entry.currency} is known for {day}"
        elif dollars.day:
            version += f"; {entry.currency} at the rate of {dollars.day} ({dollars.source})"
        return Plan(
            entry.rates, entry.currency, dollars,
            source=entry.source, version=version + _told(charged), reason=reason, uplifts=charged,
        )  # fmt: skip


_DOLLAR = Dollars(1, 1, "", "")


def _from_tables(
    rates: Rates, provider: str | None, model: str, time_ns: int, tier: str | None, charged: tuple[Uplift, ...]
) -> Plan:
    version = f"{catalogue.catalogue_version()}, price of {format_rfc3339(time_ns)[:10]}{_told(charged)}"
    second = second_table()
    other = second.look_up(catalogue.second_id(provider), model, tier)
    reason = f"agreed: {second.name} of {second.taken} says the same to 1 %"
    if other is None:
        reason = f"single: only {catalogue.SOURCE} knows this price"
    elif rates != catalogue.look_up(provider, model, second.taken_ns, tier):
        # The second table has no history: it cannot judge a price that changed between the call and its day.
        reason = f"single: {second.name} is of {second.taken}, and the price was another when the call was made"
        other = None
    return Plan(
        rates, "USD", _DOLLAR, source=catalogue.SOURCE, version=version, reason=reason, uplifts=charged,
        second=other, second_name=second.name,
    )  # fmt: skip


def _from_second(rates: Rates, charged: tuple[Uplift, ...]) -> Plan:
    second = second_table()
    version = f"{second.version}, price of {second.taken}{_told(charged)}"
    reason = f"single: only {second.name} knows this price"
    return Plan(rates, "USD", _DOLLAR, source=second.source, version=version, reason=reason, uplifts=charged)


def _told(charged: tuple[Uplift, ...]) -> str:
    return "".join(f"; +{one.permille / 10:g} % {one.name} ({one.source})" for one in charged)
