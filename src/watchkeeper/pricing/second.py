"""The second table: a dated snapshot of litellm's rates, which the first table is checked against.

`second_table.json` is written by `scripts/price_snapshot.py` from litellm's wheel (MIT). It has no history: it
tells what a model cost on the day it was taken. Read on first use.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from watchkeeper.pricing import toml
from watchkeeper.pricing.rates import BUCKETS, Rate, Rates

__all__ = ["SECOND", "SecondTable", "second_table"]

SECOND = Path(__file__).with_name("second_table.json")
_BESIDE = {"google": ("google", "vertex"), "vertex": ("vertex", "google")}
_NOON = 12 * 3600 * 1_000_000_000
_BASE = frozenset({"", "auto", "default", "standard", "standard_only"})


class SecondTable(msgspec.Struct, frozen=True):
    """Rates by provider (genai-prices' names) and model, as they were on one day."""

    source: str
    version: str
    taken: str
    licence: str
    unit: str
    models: dict[str, dict[str, dict[str, Any]]]

    @property
    def name(self) -> str:
        """Return source and version, as costs name it."""
        return f"{self.source} {self.version}"

    @property
    def taken_ns(self) -> int:
        """Return noon of the day it was taken, ns."""
        return toml.ns(date.fromisoformat(self.taken)) + _NOON

    def look_up(self, provider: str | None, model: str, tier: str | None = None) -> Rates | None:
        """Return the US dollar rates of a model, None where the table does not know it or that service tier."""
        short = model.lower()
        for place in _BESIDE.get(provider or "", (provider or "",)):
            known = self.models.get(place, {})
            entry = known.get(short) or known.get(short.rsplit("/", 1)[-1])
            if entry is not None:
                return _rates(entry, (tier or "").lower())
        return None

    def names(self) -> list[tuple[str, str]]:
        """Return every (provider, model), sorted."""
        return sorted((provider, model) for provider, known in self.models.items() for model in known)


@cache
def second_table() -> SecondTable:
    """Read the snapshot, once."""
    return msgspec.json.decode(SECOND.read_bytes(), type=SecondTable)


def _rates(entry: dict[str, Any], tier: str) -> Rates | None:
    priced = entry if tier in _BASE else entry.get(tier)
    if priced is None:
        return None
    return msgspec.convert({name: _rate(priced[name]) for name in BUCKETS if name in priced}, Rates)


def _rate(told: Any) -> Rate:  # noqa: ANN401 - text, or text and tiers
    if isinstance(told, str):
        return Rate.of(Decimal(told))
    return Rate.of(Decimal(told[0]), tuple((start, Decimal(price)) for start, price in told[1:]))
