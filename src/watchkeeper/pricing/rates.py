"""Tokens times rate, in integers: nano-units, rounded half-even once a bucket, the total being their sum."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from operator import attrgetter
from typing import TypeAlias

import msgspec

from watchkeeper.model import Usage

__all__ = ["BUCKETS", "Rate", "Rates", "Sheet", "half_even", "nano_of"]

BUCKETS = (
    "input", "cache_read", "cache_write", "input_audio", "input_image", "output", "reasoning", "output_audio",
)  # fmt: skip
_MILLION = 1_000_000
_HALF = 500_000
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


class Sheet:
    """Rates laid out for speed: what is asked for each call is worked out once.

    A usage is split into exclusive buckets, each of which has a rate of its own; what has none is priced with the
    bucket around it. Counts are clamped, so that the buckets never exceed their total.
    """

    __slots__ = ("_input", "_inputs", "_output", "_outputs", "_request")

    def __init__(self, rates: Rates) -> None:
        self._inputs = _present(rates, _INPUTS)
        self._outputs = _present(rates, _OUTPUTS)
        self._input = rates.input
        self._output = rates.output
        self._request = rates.request

    def price(self, usage: Usage) -> dict[str, int] | None:
        """Price a usage: nano-units by bucket (empty buckets left out), or None when a used bucket has no rate."""
        found: dict[str, int] = {}
        size = usage.input_tokens or 0
        inside = _split(self._inputs, usage, size, size, found) if self._inputs else size
        if inside:
            if self._input is None:
                return None
            found["input"] = _amount(inside, self._input.at(size) if self._input.tiers else self._input.base)
        outside = usage.output_tokens or 0
        if self._outputs:
            outside = _split(self._outputs, usage, outside, size, found)
        if outside:
            if self._output is None:
                return None
            found["output"] = _amount(outside, self._output.at(size) if self._output.tiers else self._output.base)
        if self._request:
            found["request"] = self._request
        return found


_Part: TypeAlias = tuple[str, Callable[[Usage], int | None], Rate]
_INPUTS = ("cache_read", "cache_write", "input_audio", "input_image")
_OUTPUTS = ("reasoning", "output_audio")


def _present(rates: Rates, names: tuple[str, ...]) -> tuple[_Part, ...]:
    found = ((name, attrgetter(f"{name}_tokens"), getattr(rates, name)) for name in names)
    return tuple(part for part in found if part[2] is not None)


def _split(parts: tuple[_Part, ...], usage: Usage, left: int, size: int, found: dict[str, int]) -> int:
    """Price the buckets inside a total, and return what of it is in none of them."""
    for name, count_of, rate in parts:
        count = count_of(usage)
        if count and left:
            count = min(count, left)
            left -= count
            found[name] = _amount(count, rate.at(size) if rate.tiers else rate.base)
    return left


def nano_of(usage: Usage, rates: Rates) -> dict[str, int] | None:
    """Price one usage with rates that are not kept; see `Sheet.price`."""
    return Sheet(rates).price(usage)


def _amount(count: int, rate: int) -> int:
    # half_even(count * rate, million), without the calls: this runs several times a span.
    whole, rest = divmod(count * rate, _MILLION)
    if rest > _HALF or (rest == _HALF and whole & 1):
        return whole + 1
    return whole


def half_even(numerator: int, denominator: int) -> int:
    """Divide and round to the nearest whole number, a half to the even one."""
    whole, rest = divmod(numerator, denominator)
    twice = rest * 2
    if twice > denominator or (twice == denominator and whole % 2):
        whole += 1
    return whole
