"""Pricing stored calls anew: which of them change, and to what. No I/O of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from watchkeeper.model import Cost, Span
from watchkeeper.store.api import CostChange

__all__ = ["PACKAGED_SOURCES", "Repriced", "dollars_of", "reprice", "says"]

PACKAGED_SOURCES = frozenset({"genai-prices", "litellm"})
"""Tables that drop old models: a price from one stands when it knows the model no longer."""


@dataclass(slots=True)
class Repriced:
    """What became of some calls; amounts in nano-USD."""

    changes: list[CostChange] = field(default_factory=list)
    provided: int = 0
    kept: int = 0
    before: int = 0
    after: int = 0


def reprice(calls: Sequence[Span], cost_of: Callable[[Span], Cost | None], *, provided: bool) -> Repriced:
    """Price calls anew; those whose client said what they cost only with `provided`.

    Where `cost_of` says None the call is left as it is.
    """
    found = Repriced()
    for span in calls:
        before = span.cost
        now = dollars_of(before)
        found.before += now
        found.after += now
        if before is not None and before.state == "provided" and not provided:
            found.provided += 1
            continue
        after = cost_of(span)
        if after is None or (before is not None and says(before) == says(after)):
            continue
        if before is not None and after.nano is None and _outlives(before):
            found.kept += 1
            continue
        found.after += dollars_of(after) - now
        found.changes.append(
            CostChange(
                trace_id=span.trace_id, span_id=span.span_id, start_time=span.start_time, before=before, after=after
            )
        )
    return found


def _outlives(before: Cost) -> bool:
    """Say whether an amount stands though today nobody knows a price: a model dropped from a table was not free."""
    return before.nano is not None and (before.state == "provided" or before.source in PACKAGED_SOURCES)


def dollars_of(cost: Cost | None) -> int:
    """Return what a cost adds to a sum, nano-USD."""
    return 0 if cost is None or cost.nano_usd is None else cost.nano_usd


def says(cost: Cost) -> tuple[object, ...]:
    """Return what makes a cost another one. A newer table that says the same leaves the old one's date in place."""
    told = cost.confidence if cost.state == "computed" else cost.reason
    return cost.state, cost.nano, cost.currency, cost.nano_usd, cost.source, tuple(sorted(cost.detail.items())), told
