"""The server about itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from watchkeeper.manifest import ManifestFile
from watchkeeper.pricing import Pricer
from watchkeeper.query import parse_select
from watchkeeper.server.retention import HousekeepingReport
from watchkeeper.server.schemas import DisplayOut
from watchkeeper.server.status.schemas import HousekeepingOut, JournalOut, ManifestOut, PolicyOut, StatusOut
from watchkeeper.store.api import QueryLimits, SpanStore, StoreStats

__all__ = ["StatusService"]

_CATCH_UP = 1.0


class StatusService:
    """Says what version answers, where, and how much is stored."""

    def __init__(
        self,
        store: SpanStore,
        pricer: Pricer,
        manifest: ManifestFile,
        version: str,
        housekeeping: Callable[[], HousekeepingReport],
        display: Callable[[], DisplayOut],
    ) -> None:
        self._store = store
        self._pricer = pricer
        self._manifest = manifest
        self._version = version
        self._housekeeping = housekeeping
        self._display = display
        self.endpoint = ""
        self.grpc_port: int | None = None
        self._counted: dict[str, tuple[int, int, int]] = {}

    def status(self, project: str, *, whole: bool) -> StatusOut:
        """Return the state of the server; where not the whole is asked for, what a project may know: its own counts, no sizes."""
        self._store.settle(_CATCH_UP)
        stats = self._store.stats()
        spans, scores = self._counts(project, stats.revision)
        if not whole:
            stats = msgspec.structs.replace(stats, spans=spans, scores=scores, pending_logs=0, queued=0, disk_bytes=0)
        return StatusOut(
            version=self._version,
            ready=True,
            endpoint=self.endpoint,
            grpc_port=self.grpc_port,
            revision=stats.revision,
            spans=stats.spans,
            scores=stats.scores,
            project_spans=spans,
            pending_logs=stats.pending_logs,
            queued_bytes=stats.queued,
            disk_bytes=stats.disk_bytes,
            format_version=stats.format_version,
            prices=self._prices(whole=whole),
            display=self._display(),
            manifest=self._policies(),
            housekeeping=self._house(stats),
            journal=JournalOut(**msgspec.structs.asdict(stats.journal)) if whole else None,
        )

    def _prices(self, *, whole: bool) -> dict[str, Any]:
        told = self._pricer.describe()
        return told if whole else {name: one for name, one in told.items() if name not in {"error", "on_premises"}}

    def _house(self, stats: StoreStats) -> HousekeepingOut:
        report = self._housekeeping()
        return HousekeepingOut(
            last_run=report.last_run,  # type: ignore[arg-type]  # pydantic turns ns into a time
            expired_spans=stats.expired, erased_spans=stats.erased, reclaimed_bytes=stats.reclaimed_bytes,
            last_reclaim=report.last_reclaim,  # type: ignore[arg-type]
            reclaim_due=stats.reclaim_due,  # type: ignore[arg-type]
            disk_full=stats.full, failure=report.failure,
        )  # fmt: skip

    def _policies(self) -> ManifestOut:
        found = self._manifest.current()
        return ManifestOut(
            path=None if self._manifest.path is None else str(self._manifest.path),
            error=self._manifest.error,
            default=PolicyOut.of(found.default),
            services={name: PolicyOut.of(policy) for name, policy in sorted(found.services.items())},
            unused=list(found.unused),
        )

    def _counts(self, project: str, revision: int) -> tuple[int, int]:
        """Count a project's rows, once a revision: every open page asks every two seconds."""
        known = self._counted.get(project)
        if known is None or known[0] != revision:
            limits = QueryLimits()
            found = [
                int(self._store.query(project, parse_select(f"select count(*) from {name}"), limits).rows[0][0])  # noqa: S608 - two fixed words
                for name in ("spans", "scores")
            ]
            known = (revision, found[0], found[1])
            self._counted[project] = known
        return known[1], known[2]
