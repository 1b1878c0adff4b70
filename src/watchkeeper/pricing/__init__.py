"""Floor 3: (usage, model, endpoint, time) to money."""

from __future__ import annotations

from watchkeeper.pricing.exchange import IMPORTED
from watchkeeper.pricing.onprem import HOUR, ON_PREM, Pool, Run, cost_of_share, share_hour, untold
from watchkeeper.pricing.pricer import Pricer

__all__ = ["HOUR", "IMPORTED", "ON_PREM", "Pool", "Pricer", "Run", "cost_of_share", "share_hour", "untold"]
