"""Floor 3: (usage, model, endpoint, time) to money."""

from __future__ import annotations

from watchkeeper.pricing.exchange import IMPORTED
from watchkeeper.pricing.pricer import Pricer

__all__ = ["IMPORTED", "Pricer"]
