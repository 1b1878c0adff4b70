"""Tokens and money."""

from __future__ import annotations

from typing import Literal, TypeAlias, cast, get_args

import msgspec

__all__ = ["Confidence", "Cost", "CostState", "Usage"]

Confidence: TypeAlias = Literal["agreed", "single", "disputed", "override"]
"""How sure a computed cost is: two tables agree to 1 %, one alone knows it, they differ, or the price is your own."""

_CONFIDENT: frozenset[str] = frozenset(get_args(Confidence))
CostState: TypeAlias = Literal["computed", "provided", "unpriced"]


class Usage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Token counts of one call; None where the emitter did not say.

    `input_tokens` and `output_tokens` are inclusive totals, as in OTel: input holds cache reads,
    cache writes, audio and images; output holds reasoning and audio. The rest are the exclusive
    buckets inside those totals, and are what is priced.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    input_audio_tokens: int | None = None
    output_audio_tokens: int | None = None
    input_image_tokens: int | None = None

    def __bool__(self) -> bool:
        """Say whether anything was reported."""
        return any(getattr(self, name) is not None for name in self.__struct_fields__)


class Cost(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What a call cost, in integer nano-units (1e-9) of `currency`.

    `state` is computed (by our price table), provided (by the emitter) or unpriced. Unpriced has no
    amounts: None, never 0. `nano_usd` is what sums are made of. `source` and `version` name the
    price table and its date; `detail` gives nano-units by bucket and sums to `nano`. `reason` says why
    there is no amount; of a computed cost it says how sure it is, beginning with the confidence's word.
    """

    state: CostState
    nano: int | None = None
    currency: str = "USD"
    nano_usd: int | None = None
    source: str | None = None
    version: str | None = None
    detail: dict[str, int] = {}
    reason: str | None = None

    @property
    def confidence(self) -> Confidence | None:
        """Return how sure a computed cost is, None for any other."""
        word = (self.reason or "").partition(":")[0] if self.state == "computed" else ""
        return cast("Confidence", word) if word in _CONFIDENT else None
