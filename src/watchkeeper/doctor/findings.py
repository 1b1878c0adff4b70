"""What a check may find: rules, each with an id that stays, and findings, each with the command that mends it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Literal, TypeAlias

import msgspec

__all__ = ["Finding", "Report", "Rule", "Severity"]

Severity: TypeAlias = Literal["ok", "warn", "fail"]
Blame: TypeAlias = Literal["config", "infrastructure"]
_GOOD, _CONFIG, _INFRASTRUCTURE = 0, 2, 103


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at. `mend` is a command or a setting; None where nothing is to be done."""

    id: str
    severity: Severity
    check: str
    what: str
    where: str
    mend: str | None = None


class Rule(msgspec.Struct, frozen=True):
    """A finding that is possible.

    Args:
        id: `WKD` and three digits, the first of which is the group; never given to another meaning.
        severity: how bad it is.
        check: what was looked at, for the table's second column.
        meaning: what it means, in one sentence, for the documentation.
        mend: how it is mended in general; a finding may say it more closely.
        blame: where the fault lies, which decides the exit code.
    """

    id: str
    severity: Severity
    check: str
    meaning: str
    mend: str = ""
    blame: Blame = "infrastructure"

    def found(self, where: object, what: str | None = None, mend: str | None = None) -> Finding:
        """Return the finding: `where` is a path, an address or a variable, `what` says more than the meaning does."""
        return Finding(
            id=self.id, severity=self.severity, check=self.check, what=what or self.meaning, where=str(where),
            mend=mend or self.mend or None,
        )  # fmt: skip


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was found, in the order of the checks."""

    version: str
    findings: tuple[Finding, ...]
    exit_code: int

    @classmethod
    def of(cls, version: str, findings: Iterable[Finding], rules: dict[str, Rule]) -> Report:
        """Gather findings. 103 where an infrastructure finding fails, 2 where only configuration does, else 0."""
        found = tuple(findings)
        blames = {rules[one.id].blame for one in found if one.severity == "fail"}
        code = _INFRASTRUCTURE if "infrastructure" in blames else _CONFIG if blames else _GOOD
        return cls(version=version, findings=found, exit_code=code)

    @property
    def summary(self) -> dict[Severity, int]:
        """Return how many there are of each severity."""
        counts = Counter(one.severity for one in self.findings)
        return {"ok": counts["ok"], "warn": counts["warn"], "fail": counts["fail"]}
