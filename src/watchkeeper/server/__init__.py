"""Floor 6: the ASGI app and the process that runs it."""

from __future__ import annotations

from watchkeeper.server.app import create_app, openapi
from watchkeeper.server.lockfile import running_server
from watchkeeper.server.runner import Running, serve
from watchkeeper.server.wiring import Services, assemble

__all__ = ["Running", "Services", "assemble", "create_app", "openapi", "running_server", "serve"]
