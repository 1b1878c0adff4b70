"""(usage, provider, model, time) to money, with the price's source and date beside it."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from watchkeeper.kit.clock import format_rfc3339
from watchkeeper.model import MODEL_KINDS, Cost, Span, Usage
from watchkeeper.pricing import catalogue
from watchkeeper.pricing.overrides import PACKAGED, load
from watchkeeper.pricing.rates import Rates, nano_of

__all__ = ["Pricer"]

_HOUR = 3600 * 1_000_000_000
_REMEMBERED = 4_096
_MOST = 2**62  # leaves room for the exchange into dollars


class _Found(msgspec.Struct, frozen=True):
    rates: Rates
    currency: str
    source: str
    version: str


class Pricer:
    """Prices model calls: your dated overrides first, then the packaged table.

    Args:
        overrides: a TOML file of your own prices (see `pricing.overrides`).

    Raises:
        ConfigError: the file is missing or wrong.
    """

    def __init__(self, overrides: Path | None = None) -> None:
        self._path = overrides
        self._overrides = load(PACKAGED)
        if overrides is not None:
            self._overrides += load(overrides)
        # Table prices may change on the hour (time-of-day tariffs), so an hour is as long as an answer holds.
        self._find: Callable[[str | None, str, int, str | None], _Found | None] = lru_cache(_REMEMBERED)(self._look_up)

    def price(self, span: Span) -> Span:
        """Return the span with its cost; spans that are no model call, and provided costs, stay as they are."""
        if span.kind not in MODEL_KINDS or span.cost is not None:
            return span
        tier = span.parameters.get("service_tier")
        cost = self.cost(
            span.provider, _models(span), span.usage, span.start_time, tier if isinstance(tier, str) else None
        )
        return msgspec.structs.replace(span, cost=cost)

    def cost(
        self, provider: str | None, models: tuple[str, ...], usage: Usage, time_ns: int, tier: str | None = None
    ) -> Cost:
        """Price a usage by the first of the models that has a price; `tier` is the provider's service tier."""
        if not models:
            return Cost(state="unpriced", reason="the span names no model")
        if usage.input_tokens is None and usage.output_tokens is None:
            return Cost(state="unpriced", reason="the span reports no tokens")
        hour = time_ns // _HOUR
        found = next((one for model in models if (one := self._find(provider, model, hour, tier))), None)
        if found is None:
            return Cost(
                state="unpriced", reason=f"no price is known for {provider or 'an unnamed provider'} {models[0]}"
            )
        detail = nano_of(usage, found.rates)
        if detail is None:
            return Cost(state="unpriced", reason=f"{found.source} has no rate for a kind of token that was used")
        nano = sum(detail.values())
        if nano > _MOST:
            return Cost(state="unpriced", reason="the amount has more than 64 bits")
        return Cost(
            state="computed",
            nano=nano,
            currency=found.currency,
            nano_usd=self._overrides.to_usd(nano, found.currency, time_ns),
            source=found.source,
            version=found.version,
            detail=detail,
        )

    def describe(self) -> dict[str, Any]:
        """Say where prices come from."""
        return {
            "table": catalogue.SOURCE,
            "table_version": catalogue.catalogue_version(),
            "overrides": str(self._path) if self._path else None,
            "override_entries": len(self._overrides.entries),
        }

    def _look_up(self, provider: str | None, model: str, hour: int, tier: str | None) -> _Found | None:
        time_ns = hour * _HOUR
        own = self._overrides.find(provider, model, time_ns)
        if own is not None:
            return _Found(own.rates, own.currency, own.source, f"from {own.day}")
        rates = catalogue.look_up(provider, model, time_ns, tier)
        if rates is None:
            return None
        version = f"{catalogue.catalogue_version()}, price of {format_rfc3339(time_ns)[:10]}"
        return _Found(rates, "USD", catalogue.SOURCE, version)


def _models(span: Span) -> tuple[str, ...]:
    names = (span.response_model, span.request_model)
    return tuple(dict.fromkeys(name for name in names if name))
