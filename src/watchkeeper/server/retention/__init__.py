"""Keeping house: deleting by age and giving space back, on a schedule."""

from __future__ import annotations

from watchkeeper.server.retention.keeper import Housekeeper, HousekeepingReport

__all__ = ["Housekeeper", "HousekeepingReport"]
