"""Floor 6: the ASGI app and the process that runs it."""

from __future__ import annotations

from watchkeeper.server.app import create_app, openapi
from watchkeeper.server.lockfile import Announced, FolderLock, announced, running_server
from watchkeeper.server.runner import Running, serve
from watchkeeper.server.wiring import Services, assemble

__all__ = [
    "Announced",
    "FolderLock",
    "Running",
    "Services",
    "announced",
    "assemble",
    "create_app",
    "openapi",
    "running_server",
    "serve",
]
