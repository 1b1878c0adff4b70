"""Amounts as verbs print them: in the currency that is shown, with the day of its rate."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

__all__ = ["shown"]

_NANO = 1_000_000_000


def shown(nano_usd: int | None, display: dict[str, Any], *, signed: bool = False) -> str:
    """Return nano-USD in the currency of the API's `display`; the rate's day stands beside it."""
    if nano_usd is None:
        return "unpriced"
    amount = Decimal(nano_usd) * Decimal(display["per_usd"]) / _NANO
    text = f"{amount:+,.6f}" if signed else f"{amount:,.6f}"
    day = f" (rate of {display['rate_day']})" if display["rate_day"] and not signed else ""
    return f"{text} {display['currency']}{day}"
