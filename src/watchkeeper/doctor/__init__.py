"""Floor 7: what is wrong here, and the command that mends it. Looks, and changes nothing."""

from __future__ import annotations

from watchkeeper.doctor.examine import RULES, examine
from watchkeeper.doctor.findings import Finding, Report, Rule, Severity

__all__ = ["RULES", "Finding", "Report", "Rule", "Severity", "examine"]
