"""Dated prices from TOML, ours and then your own; they win over the packaged table, a later entry over an earlier one.

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
"""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import msgspec

from watchkeeper.kit.errors import ConfigError
from watchkeeper.pricing.rates import BUCKETS, Rate, Rates, half_even

__all__ = ["PACKAGED", "Entry", "Exchange", "Overrides", "load"]

PACKAGED = Path(__file__).with_name("overrides.toml")
"""Our own corrections of the table."""

_NS = 1_000_000_000
_FOREVER = 2**63 - 1
_RATE_KEYS = {"currency", "from", "usd"}
_MILLION = 1_000_000
_KNOWN = {"provider", "model", "from", "until", "currency", "source", *BUCKETS}


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


class Exchange(msgspec.Struct, frozen=True):
    """US dollars for one unit of a currency, from a time on, in millionths."""

    currency: str
    since: int
    usd_millionths: int


class Overrides(msgspec.Struct, frozen=True):
    """Every entry, the last one in the file winning."""

    entries: tuple[Entry, ...] = ()
    exchanges: tuple[Exchange, ...] = ()

    def find(self, provider: str | None, model: str, time_ns: int) -> Entry | None:
        """Return the price that holds."""
        name = (provider or "").lower()
        return next((one for one in reversed(self.entries) if one.holds(name, model.lower(), time_ns)), None)

    def to_usd(self, nano: int, currency: str, time_ns: int) -> int | None:
        """Turn nano-units into nano-USD by the latest dated rate, None where there is none."""
        if currency == "USD":
            return nano
        known = [one for one in self.exchanges if one.currency == currency and one.since <= time_ns]
        if not known:
            return None
        dollars = half_even(nano * max(known, key=lambda one: one.since).usd_millionths, _MILLION)
        return dollars if dollars < _FOREVER else None

    def __add__(self, other: Overrides) -> Overrides:
        """Put the other's entries behind these, so that they win."""
        return Overrides(self.entries + other.entries, self.exchanges + other.exchanges)


def load(path: Path) -> Overrides:
    """Read a price file.

    Raises:
        ConfigError: the file is missing or wrong; the message says where.
    """
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read the price file {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"the price file {path} is not TOML: {error}") from None
    _check_keys(told, {"price", "rate"}, str(path))
    prices = tuple(_entry(one, f"{path}: price {number}") for number, one in _tables(told, "price", path))
    rates = tuple(_exchange(one, f"{path}: rate {number}") for number, one in _tables(told, "rate", path))
    return Overrides(prices, rates)


def _tables(told: dict[str, Any], name: str, path: Path) -> list[tuple[int, dict[str, Any]]]:
    found = told.get(name, [])
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise ConfigError(f"{path}: {name} is not a list of tables", hint=f"write [[{name}]]")
    return list(enumerate(found, start=1))


def _check_keys(told: dict[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(set(told) - known)
    if unknown:
        raise ConfigError(f"{where}: unknown key {unknown[0]!r}", hint=f"known: {', '.join(sorted(known))}")


def _entry(told: dict[str, Any], where: str) -> Entry:
    _check_keys(told, _KNOWN, where)
    rates = {name: Rate.of(_decimal(told[name], f"{where}: {name}")) for name in BUCKETS if name in told}
    if "input" not in rates and "output" not in rates:
        raise ConfigError(f"{where}: give input or output, the price of a million tokens")
    since = _day(told.get("from"), f"{where}: from")
    until = _day(told["until"], f"{where}: until") if "until" in told else None
    if until is not None and until <= since:
        raise ConfigError(f"{where}: it ends on {until}, not after it begins on {since}")
    return Entry(
        provider=str(told.get("provider", "*")).lower(),
        model=str(told.get("model", "*")).lower(),
        since=_ns(since),
        until=_FOREVER if until is None else _ns(until),
        day=since.isoformat(),
        currency=str(told.get("currency", "USD")).upper(),
        source=str(told.get("source", "your price file")),
        rates=msgspec.convert(rates, Rates),
    )


def _exchange(told: dict[str, Any], where: str) -> Exchange:
    _check_keys(told, _RATE_KEYS, where)
    usd = _decimal(told.get("usd"), f"{where}: usd")
    since = _ns(_day(told.get("from"), f"{where}: from"))
    currency = str(told.get("currency", "")).upper()
    if not currency or not usd:
        raise ConfigError(f"{where}: give a currency and how many US dollars one of it buys")
    return Exchange(currency, since, int((usd * _MILLION).to_integral_value()))


def _decimal(value: object, where: str) -> Decimal:
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        found = Decimal(-1)
    if not found.is_finite() or found < 0:
        raise ConfigError(f"{where} is {value!r}, not a price", hint='decimal text such as "0.15"')
    return found


def _day(value: object, where: str) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    raise ConfigError(f"{where} is {value!r}, not a day", hint="for example from = 2026-01-01")


def _ns(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * _NS
