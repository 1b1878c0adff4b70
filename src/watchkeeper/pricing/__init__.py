"""Floor 3: (usage, model, endpoint, time) to money."""

from __future__ import annotations

from watchkeeper.pricing.desk import PriceDesk
from watchkeeper.pricing.exchange import IMPORTED, import_table
from watchkeeper.pricing.onprem import HOUR, ON_PREM, Pool, Run, cost_of_share, share_hour, untold
from watchkeeper.pricing.pricer import Pricer

__all__ = [
    "HOUR", "IMPORTED", "ON_PREM", "Pool", "PriceDesk", "Pricer", "Run", "cost_of_share", "import_table", "share_hour",
    "untold",
]  # fmt: skip
