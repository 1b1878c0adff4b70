"""The manifest's capture mode, applied to everything that arrives before it is stored (ADR 5, docs/capture.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from watchkeeper.guard import Counts, Masker, Mode
from watchkeeper.ingest import service_of
from watchkeeper.manifest import Manifest, ManifestFile
from watchkeeper.model import RawLog, RawSpan, Score

__all__ = ["Capture"]


class Capture:
    """Masks spans, log records and scores by the mode of their service. Safe to use from any thread.

    Args:
        manifest: the manifest in force.
        masker: what masks.
        masked: told of every kind that was masked, with how many.
    """

    def __init__(self, manifest: ManifestFile, masker: Masker, masked: Callable[[str, int], None]) -> None:
        self._manifest = manifest
        self._masker = masker
        self._masked = masked

    def spans(self, raws: Sequence[RawSpan]) -> list[RawSpan]:
        """Return the spans of one request as they may be stored."""
        manifest, batch = self._manifest.current(), self._masker.batch()
        totals: Counts = {}
        found: list[RawSpan] = []
        modes: list[Mode] = [manifest.policy(service_of(raw.resource)).content for raw in raws]
        for masked, counts in batch.spans(raws, modes):
            found.append(masked)
            _add(totals, counts)
        self.tell(totals)
        return found

    def logs(self, logs: Iterable[RawLog], services: Iterable[str]) -> list[RawLog]:
        """Return the log records of one request as they may be stored; `services` says for each who sent it."""
        manifest, batch = self._manifest.current(), self._masker.batch()
        totals: Counts = {}
        found: list[RawLog] = []
        for log, service in zip(logs, services, strict=True):
            masked, counts = batch.log(log, manifest.policy(service).content)
            found.append(masked)
            _add(totals, counts)
        self.tell(totals)
        return found

    def score(self, score: Score) -> Score:
        """Return a score as it may be stored. It names no service, so the strictest mode but `off` anywhere holds."""
        masked, counts = self._masker.score(score, _for_scores(self._manifest.current()))
        self.tell(counts)
        return masked

    def pseudonym(self, text: str) -> str | None:
        """Return the name under which masking stores a user or session id, None where it is stored as it came."""
        return self._masker.pseudonym(text)

    def tell(self, counts: Counts) -> None:
        """Count what was masked, here or in a packing process."""
        for kind, count in counts.items():
            self._masked(kind, count)


def _for_scores(manifest: Manifest) -> Mode:
    modes = {manifest.default.content} | {policy.content for policy in manifest.services.values()}
    if modes == {"full"}:
        return "full"
    return "off" if modes == {"off"} else "masked"


def _add(totals: Counts, counts: Counts) -> None:
    for kind, count in counts.items():
        totals[kind] = totals.get(kind, 0) + count
