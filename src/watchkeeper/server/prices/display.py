"""Amounts in the currency people asked for. Dollars are what is stored; what is shown says the day of its rate."""

from __future__ import annotations

from collections.abc import Callable

from watchkeeper.kit.clock import Clock, format_rfc3339
from watchkeeper.pricing import Pricer
from watchkeeper.server.schemas import DisplayOut, MoneyOut

__all__ = ["Display"]

_MILLION = 1_000_000


class Display:
    """Turns nano-USD into the currency that is shown, by dated rates.

    Args:
        currency: what to show in; asked each time, since the manifest may change.
    """

    def __init__(self, pricer: Pricer, currency: Callable[[], str], clock: Clock) -> None:
        self._pricer = pricer
        self._currency = currency
        self._clock = clock

    def at(self, time_ns: int) -> DisplayOut:
        """Return the factor of a day, today's where that is to come; dollars where no rate is known, which it says."""
        wanted = self._currency()
        time_ns = min(time_ns, self._clock.now_ns())
        found = self._pricer.exchange.dollars(wanted, time_ns)
        if found is None:
            missing = f"no exchange rate of {wanted} is known for {format_rfc3339(time_ns)[:10]}"
            return DisplayOut(currency="USD", per_usd="1", rate_day=None, rate_source=None, missing=missing)
        return DisplayOut(
            currency=wanted, per_usd=f"{found.into(_MILLION * _MILLION) / (_MILLION * _MILLION):.6f}".rstrip("0").rstrip("."),
            rate_day=found.day or None, rate_source=found.source or None,
        )  # fmt: skip

    def now(self) -> DisplayOut:
        """Return today's factor."""
        return self.at(self._clock.now_ns())

    def money(self, nano_usd: int | None, time_ns: int) -> MoneyOut | None:
        """Return an amount as it is shown, by the rate of that day."""
        if nano_usd is None:
            return None
        rate = self.at(time_ns)
        found = self._pricer.exchange.dollars(rate.currency, min(time_ns, self._clock.now_ns()))
        nano = nano_usd if found is None else found.into(nano_usd)
        return MoneyOut(nano=nano, currency=rate.currency, rate_day=rate.rate_day)  # type: ignore[arg-type]  # Big
