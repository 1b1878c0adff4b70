"""`/metrics`: what Prometheus may know about the model calls and about ourselves (ADR 7, docs/operations/metrics.md)."""

from __future__ import annotations

from watchkeeper.server.metrics.page import Metrics

__all__ = ["Metrics"]
