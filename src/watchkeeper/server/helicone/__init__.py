"""Helicone's asynchronous log in, by the same way as OTLP's spans."""

from __future__ import annotations

from watchkeeper.server.helicone.endpoints import LOGS, TRACES, HeliconeApp

__all__ = ["LOGS", "TRACES", "HeliconeApp"]
