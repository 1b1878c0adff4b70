"""What the status endpoint answers."""

from __future__ import annotations

from typing import Any

from watchkeeper.server.schemas import Model

__all__ = ["StatusOut"]


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
