"""Tokens times rate, in integers: nano-units, rounded half-even once a bucket, the total being their sum."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from watchkeeper.model import Usage

__all__ = ["BUCKETS", "Rate", "Rates", "buckets_of", "half_even", "nano_of"]

BUCKETS = (
    "input", "cache_read", "cache_write", "input_audio", "input_image", "output", "reasoning", "output_audio",
)  # fmt: skip
_MILLION = 1_000_000
_NANO = 1_000_000_000


class Rate(msgspec.Struct, frozen=True):
    """Price of a million tokens in nano-units, and dearer tiers as (above this much input, price)."""

    base: int
    tiers: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, price: Decimal, tiers: tuple[tuple[int, Decimal], ...] = ()) -> Rate:
        """Build it from prices in whole units a million tokens."""
        return cls(_scaled(price), tuple((start, _scaled(dearer)) for start, dearer in sorted(tiers)))

    def at(self, input_tokens: int) -> int:
        """Return the price that holds for a call with so much input."""
        found = self.base
        for start, price in self.tiers:
            if input_tokens > start:
                found = price
        return found


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """What a model costs by bucket. A bucket without its own rate is priced with the one that holds it.

    `request` is nano-units a call.
    """

    input: Rate | None = None
    output: Rate | None = None
    cache_read: Rate | None = None
    cache_write: Rate | None = None
    input_audio: Rate | None = None
    input_image: Rate | None = None
    reasoning: Rate | None = None
    output_audio: Rate | None = None
    request: int = 0


def _scaled(price: Decimal) -> int:
    return int((price * _NANO).to_integral_value())


def buckets_of(usage: Usage, rates: Rates) -> dict[str, int]:
    """Split a usage into exclusive buckets, each of which has a rate of its own; counts are clamped at zero."""
    found: dict[str, int] = {}
    left = usage.input_tokens or 0
    for name, count in (
        ("cache_read", usage.cache_read_tokens),
        ("cache_write", usage.cache_write_tokens),
        ("input_audio", usage.input_audio_tokens),
        ("input_image", usage.input_image_tokens),
    ):
        if count and getattr(rates, name) is not None:
            found[name] = min(count, left)
            left -= found[name]
    found["input"] = left
    left = usage.output_tokens or 0
    for name, count in (("reasoning", usage.reasoning_tokens), ("output_audio", usage.output_audio_tokens)):
        if count and getattr(rates, name) is not None:
            found[name] = min(count, left)
            left -= found[name]
    found["output"] = left
    return found


def nano_of(usage: Usage, rates: Rates) -> dict[str, int] | None:
    """Price a usage: nano-units by bucket (empty buckets left out), or None when a used bucket has no rate."""
    size = usage.input_tokens or 0
    found: dict[str, int] = {}
    for name, count in buckets_of(usage, rates).items():
        if not count:
            continue
        rate: Rate | None = getattr(rates, name)
        if rate is None:
            return None
        found[name] = half_even(count * rate.at(size), _MILLION)
    if rates.request:
        found["request"] = rates.request
    return found


def half_even(numerator: int, denominator: int) -> int:
    """Divide and round to the nearest whole number, a half to the even one."""
    whole, rest = divmod(numerator, denominator)
    twice = rest * 2
    if twice > denominator or (twice == denominator and whole % 2):
        whole += 1
    return whole
