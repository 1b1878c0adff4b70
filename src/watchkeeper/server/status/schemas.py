"""What the status endpoint answers."""

from __future__ import annotations

from typing import Any, Literal

from watchkeeper.manifest import ServicePolicy
from watchkeeper.server.schemas import DisplayOut, Model, Time

__all__ = ["HousekeepingOut", "JournalOut", "ManifestOut", "PolicyOut", "StatusOut"]


class PolicyOut(Model):
    """How a service's content is captured, and after how many days it is deleted (null: never)."""

    content: Literal["full", "masked", "off"]
    retention_days: int | None

    @classmethod
    def of(cls, policy: ServicePolicy) -> PolicyOut:
        """Build it from the manifest's."""
        return cls(content=policy.content, retention_days=policy.retention_days)


class ManifestOut(Model):
    """The manifest in force; `error` says why the file as it is now is not, `unused` which keys wait for a later release."""

    path: str | None
    error: str | None
    default: PolicyOut
    services: dict[str, PolicyOut]
    unused: list[str]


class HousekeepingOut(Model):
    """Deleting by age and giving space back: when last, how much since the server started, and what went wrong.

    `reclaim_due`: something was erased then whose bytes may still be on disk. `disk_full`: ingest is refused.
    """

    last_run: Time | None
    expired_spans: int
    erased_spans: int
    reclaimed_bytes: int
    last_reclaim: Time | None
    reclaim_due: Time | None
    disk_full: bool
    failure: str


class JournalOut(Model):
    """What was acknowledged and waits to be stored, and what was set aside; exports, for `damaged` files.

    `oldest` is since when the oldest that was set aside is there. `GET /api/v1/journal` lists it.
    """

    pending: int
    pending_bytes: int
    refused: int
    refused_bytes: int
    damaged: int
    damaged_bytes: int
    oldest: Time | None


class StatusOut(Model):
    """The server about itself."""

    version: str
    ready: bool
    endpoint: str
    grpc_port: int | None
    revision: int
    spans: int
    scores: int
    project_spans: int
    pending_logs: int
    queued_bytes: int
    disk_bytes: int
    format_version: int
    prices: dict[str, Any]
    display: DisplayOut
    manifest: ManifestOut
    housekeeping: HousekeepingOut
    journal: JournalOut | None
