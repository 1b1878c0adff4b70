"""The server about itself."""

from __future__ import annotations

from watchkeeper.pricing import Pricer
from watchkeeper.server.schemas import plain
from watchkeeper.server.status.schemas import StatusOut
from watchkeeper.store.api import SpanStore

__all__ = ["StatusService"]


class StatusService:
    """Says what version answers, where, and how much is stored."""

    def __init__(self, store: SpanStore, pricer: Pricer, version: str) -> None:
        self._store = store
        self._pricer = pricer
        self._version = version
        self.endpoint = ""
        self.grpc_port: int | None = None

    def status(self) -> StatusOut:
        """Return the state of the server."""
        stats = self._store.stats()
        return StatusOut(
            version=self._version,
            ready=True,
            endpoint=self.endpoint,
            grpc_port=self.grpc_port,
            revision=stats.revision,
            spans=stats.spans,
            scores=stats.scores,
            pending_logs=stats.pending_logs,
            queued_bytes=stats.queued,
            disk_bytes=stats.disk_bytes,
            format_version=stats.format_version,
            prices=plain(self._pricer.describe()),
        )
