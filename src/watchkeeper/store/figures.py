"""What the backends must agree on when they count: latency bounds, window steps, percentiles, trace facts."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from watchkeeper.store.api import Histogram, ModelRow

__all__ = ["LATENCY_BOUNDS", "MAX_FACETS", "dearest", "histogram", "percentile", "steady_end", "step_of", "width_of"]

_MS = 1_000_000
MAX_FACETS = 200
LATENCY_BOUNDS: tuple[int, ...] = tuple(
    ms * _MS
    for ms in (10, 20, 50, 100, 200, 350, 500, 750, 1_000, 1_500, 2_000, 3_000, 5_000, 7_500, 10_000, 20_000, 30_000,
               60_000, 120_000)
)  # fmt: skip
"""Upper bounds of the latency histogram, ns."""

_WIDTHS = tuple(seconds * 1_000 * _MS for seconds in (7_200, 900, 120, 20, 5, 1))
_PIECES = 32
"""At least so many pieces to a bucket: few of them are cut by its edges."""


def step_of(since: int, until: int, buckets: int) -> int:
    """Return the width in ns that cuts [since, until) into at most `buckets` pieces."""
    return max(1, -(-(until - since) // max(1, buckets)))


def width_of(step: int) -> int | None:
    """Return the width in ns of the pieces a store may keep for buckets of `step` ns; None where they are too narrow."""
    return next((width for width in _WIDTHS if width * _PIECES <= step), None)


def steady_end(since: int, until: int, buckets: int) -> int:
    """Return the first end at or after `until` with which every bucket is as wide as so many whole pieces.

    From one question to the next, the edges of a window that slides are then between pieces, and cut none.
    """
    step = step_of(since, until, buckets)
    width = width_of(step) or 1
    return since + -(-step // width) * width * buckets


def percentile(ordered: Sequence[int] | NDArray[np.int64], share: float) -> int | None:
    """Return the continuous percentile (linear between ranks, as SQL's `percentile_cont`) of sorted values."""
    if len(ordered) == 0:
        return None
    rank = share * (len(ordered) - 1)
    low = math.floor(rank)
    high = min(low + 1, len(ordered) - 1)
    below, above = int(ordered[low]), int(ordered[high])
    return round(below + (above - below) * (rank - low))


def dearest(row: ModelRow) -> tuple[object, ...]:
    """Order models: the dearest first, then the busiest, the unpriced last."""
    cost = row.cost_nano_usd
    return (
        cost is None,
        -(cost or 0),
        -row.requests,
        row.provider is not None,
        row.provider or "",
        row.model is not None,
        row.model or "",
    )


def histogram(cumulative: Sequence[int], total: int) -> Histogram:
    """Turn counts of values at or under each bound into a histogram."""
    counts = [count - before for before, count in zip((0, *cumulative), (*cumulative, total), strict=False)]
    return Histogram(bounds=LATENCY_BOUNDS, counts=tuple(counts))
