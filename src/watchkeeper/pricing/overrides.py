"""Dated prices from TOML, ours and then your own; they win over the packaged tables, a later entry over an earlier one.

::

    [[price]]
    provider = "*"                  # a glob over the provider's name
    model    = "mistral-small-*"    # a glob over the model's name
    from     = 2026-01-01           # first day, UTC; until = the day it ends, left out while it holds
    currency = "EUR"
    input    = "0.10"               # a million tokens, as decimal text; likewise output, cache_read, cache_write,
    output   = "0.30"               # input_audio, input_image, reasoning, output_audio
    source   = "contract 2026-01"

    [[rate]]
    currency = "EUR"                # how many US dollars one unit buys, from a day on
    from     = 2026-01-01
    usd      = "1.08"

`[[uplift]]` stands in `pricing.uplifts`, `[[on_prem]]` in `pricing.onprem`.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import msgspec

from watchkeeper.kit.errors import ConfigError
from watchkeeper.pricing import toml
from watchkeeper.pricing.exchange import Quote
from watchkeeper.pricing.onprem import Pool, read_pools
from watchkeeper.pricing.rates import BUCKETS, Rate, Rates
from watchkeeper.pricing.uplifts import Uplift, read_uplifts

__all__ = ["PACKAGED", "Entry", "Overrides", "load"]

PACKAGED = Path(__file__).with_name("overrides.toml")
"""Our own corrections of the table."""

_RATE_KEYS = {"currency", "from", "usd"}
_KNOWN = {"provider", "model", "from", "until", "currency", "source", *BUCKETS}
_TABLES = {"price", "rate", "uplift", "on_prem"}
_MILLION = 1_000_000


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One dated price; `since` inclusive and `until` exclusive, ns."""

    provider: str
    model: str
    since: int
    until: int
    day: str
    currency: str
    source: str
    rates: Rates

    def holds(self, provider: str, model: str, time_ns: int) -> bool:
        """Say whether it prices that model at that time."""
        return (
            self.since <= time_ns < self.until
            and fnmatchcase(provider, self.provider)
            and fnmatchcase(model, self.model)
        )


class Overrides(msgspec.Struct, frozen=True):
    """Every entry, the last one in the file winning."""

    entries: tuple[Entry, ...] = ()
    quotes: tuple[Quote, ...] = ()
    uplifts: tuple[Uplift, ...] = ()
    pools: tuple[Pool, ...] = ()

    def find(self, provider: str | None, model: str, time_ns: int) -> Entry | None:
        """Return the price that holds."""
        name = (provider or "").lower()
        return next((one for one in reversed(self.entries) if one.holds(name, model.lower(), time_ns)), None)

    def __add__(self, other: Overrides) -> Overrides:
        """Put the other's entries behind these, so that they win."""
        return Overrides(
            self.entries + other.entries,
            self.quotes + other.quotes,
            self.uplifts + other.uplifts,
            self.pools + other.pools,
        )


def load(path: Path) -> Overrides:
    """Read a price file.

    Raises:
        ConfigError: the file is missing or wrong; the message says where.
    """
    told = toml.read(path, _TABLES)
    return Overrides(
        tuple(_entry(one, where) for where, one in toml.tables(told, "price", path)),
        tuple(_quote(one, where) for where, one in toml.tables(told, "rate", path)),
        read_uplifts(told, path),
        read_pools(told, path),
    )


def _entry(told: dict[str, Any], where: str) -> Entry:
    toml.check_keys(told, _KNOWN, where)
    rates = {name: Rate.of(toml.decimal(told[name], f"{where}: {name}")) for name in BUCKETS if name in told}
    if "input" not in rates and "output" not in rates:
        raise ConfigError(f"{where}: give input or output, the price of a million tokens")
    first, since, until = toml.days(told, where)
    return Entry(
        provider=str(told.get("provider", "*")).lower(),
        model=str(told.get("model", "*")).lower(),
        since=since,
        until=until,
        day=first.isoformat(),
        currency=str(told.get("currency", "USD")).upper(),
        source=str(told.get("source", "your price file")),
        rates=msgspec.convert(rates, Rates),
    )


def _quote(told: dict[str, Any], where: str) -> Quote:
    toml.check_keys(told, _RATE_KEYS, where)
    usd = toml.decimal(told.get("usd"), f"{where}: usd")
    first = toml.day(told.get("from"), f"{where}: from")
    currency = str(told.get("currency", "")).upper()
    if not currency or not usd:
        raise ConfigError(f"{where}: give a currency and how many US dollars one of it buys")
    return Quote(currency, toml.ns(first), int((usd * _MILLION).to_integral_value()), first.isoformat())
