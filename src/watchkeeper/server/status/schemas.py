"""What the status endpoint answers."""

from __future__ import annotations

from typing import Any, Literal

from watchkeeper.manifest import ServicePolicy
from watchkeeper.server.schemas import Model

__all__ = ["ManifestOut", "PolicyOut", "StatusOut"]


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


class StatusOut(Model):
    """The server about itself."""

    version: str
    ready: bool
    endpoint: str
    grpc_port: int | None
    revision: int
    spans: int
    scores: int
    pending_logs: int
    queued_bytes: int
    disk_bytes: int
    format_version: int
    prices: dict[str, Any]
    manifest: ManifestOut
