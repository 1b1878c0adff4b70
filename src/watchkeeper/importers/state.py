"""Where an import stands, in a file that is replaced whole after each page that the server has acknowledged."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from watchkeeper.importers.page import Skipped
from watchkeeper.kit.errors import ConfigError

__all__ = ["State", "Summary"]

_FORMAT = 1
_REMEMBERED = 2_000
"""Traces that a later page or run may go on with; those before were counted and are done."""


@dataclass(slots=True)
class Summary:
    """What came of it so far, all runs together."""

    traces: int = 0
    spans: int = 0
    scores: int = 0
    logs: int = 0
    skipped: dict[str, Skipped] = field(default_factory=dict)
    resumed: bool = False

    def skip(self, reason: str, told: Skipped) -> None:
        """Count what was left out."""
        kept = self.skipped.setdefault(reason, Skipped(first=told.first))
        kept.count += told.count


class State:
    """A state file; `path` None keeps nothing."""

    def __init__(self, path: Path | None, what: dict[str, Any]) -> None:
        """Read the file where there is one.

        Args:
            path: the file.
            what: what is imported whence and whither; a file that is about something else is refused.

        Raises:
            ConfigError: the file is not one of ours, or of another import.
        """
        self._path, self._what = path, what
        self.cursor: Any = None
        self.summary = Summary()
        self._traces: dict[str, None] = {}
        if path is not None and path.exists():
            self._load(path)

    def traces(self, ids: Iterable[str], limit: int | None) -> set[str]:
        """Count traces that are new; return those that may pass: all, or the first `limit` of them."""
        passed = set()
        for one in ids:
            if one not in self._traces:
                if limit is not None and self.summary.traces >= limit:
                    continue
                self._traces[one] = None
                self.summary.traces += 1
            passed.add(one)
        if limit is None:
            while len(self._traces) > _REMEMBERED:
                del self._traces[next(iter(self._traces))]
        return passed

    def save(self) -> None:
        """Write it; after a crash there is the old one or the new one.

        Raises:
            ConfigError: it cannot be written.
        """
        if self._path is None:
            return
        told = {
            "format": _FORMAT, "what": self._what, "cursor": self.cursor, "summary": asdict(self.summary),
            "traces": list(self._traces),
        }  # fmt: skip
        beside = self._path.with_name(f"{self._path.name}.new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with beside.open("w") as out:
                json.dump(told, out)
                out.flush()
                os.fsync(out.fileno())
            beside.replace(self._path)
        except OSError as error:
            raise ConfigError(
                f"the state of the import cannot be kept in {self._path}: {error.strerror}",
                hint="name another file with --state",
            ) from None

    def finish(self) -> None:
        """Forget it: the next run begins anew."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def _load(self, path: Path) -> None:
        try:
            told = json.loads(path.read_text())
            summary = told["summary"]
            skipped = {reason: Skipped(**one) for reason, one in summary.pop("skipped").items()}
            ours, self.cursor = told["format"] == _FORMAT, told["cursor"]
            self.summary = Summary(**{**summary, "resumed": True}, skipped=skipped)
            self._traces = dict.fromkeys(told["traces"])
        except OSError as error:
            raise ConfigError(f"the state file {path} cannot be read: {error.strerror}") from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ConfigError(
                f"{path} is not the state of an import, or is damaged",
                hint="delete it to begin anew: what is stored already is not stored twice",
            ) from None
        if not ours or told["what"] != self._what:
            raise ConfigError(f"{path} is the state of another import", hint="name another file with --state")
