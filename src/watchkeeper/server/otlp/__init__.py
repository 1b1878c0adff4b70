"""OTLP in: HTTP as plain ASGI, gRPC beside it on the same loop."""

from __future__ import annotations

from watchkeeper.server.otlp.endpoints import OtlpApp
from watchkeeper.server.otlp.service import IngestService

__all__ = ["IngestService", "OtlpApp"]
