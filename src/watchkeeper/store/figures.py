"""What the backends must agree on when they count: latency bounds, window steps, percentiles, trace facts."""

from __future__ import annotations

import math
from collections.abc import Sequence

from watchkeeper.store.api import Histogram

__all__ = ["LATENCY_BOUNDS", "MAX_FACETS", "histogram", "percentile", "step_of"]

_MS = 1_000_000
MAX_FACETS = 200
LATENCY_BOUNDS: tuple[int, ...] = tuple(
    ms * _MS
    for ms in (10, 20, 50, 100, 200, 350, 500, 750, 1_000, 1_500, 2_000, 3_000, 5_000, 7_500, 10_000, 20_000, 30_000,
               60_000, 120_000)
)  # fmt: skip
"""Upper bounds of the latency histogram, ns."""


def step_of(since: int, until: int, buckets: int) -> int:
    """Return the width in ns that cuts [since, until) into at most `buckets` pieces."""
    return max(1, -(-(until - since) // max(1, buckets)))


def percentile(ordered: Sequence[int], share: float) -> int | None:
    """Return the continuous percentile (linear between ranks, as SQL's `percentile_cont`) of sorted values."""
    if not ordered:
        return None
    rank = share * (len(ordered) - 1)
    low = math.floor(rank)
    high = min(low + 1, len(ordered) - 1)
    return round(ordered[low] + (ordered[high] - ordered[low]) * (rank - low))


def histogram(cumulative: Sequence[int], total: int) -> Histogram:
    """Turn counts of values at or under each bound into a histogram."""
    counts = [count - before for before, count in zip((0, *cumulative), (*cumulative, total), strict=False)]
    return Histogram(bounds=LATENCY_BOUNDS, counts=tuple(counts))
