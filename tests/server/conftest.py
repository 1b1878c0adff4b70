"""A server in this process: the app on a store in memory or on disk, driven through ASGI and over real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from watchkeeper.kit.settings import ServerSettings
from watchkeeper.server import Services, assemble, create_app


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[Services]:
    """Assemble the services on a folder of the test's own."""
    built = assemble(ServerSettings(secret_key="sk-test", max_body_mib=2), tmp_path / "data")
    yield built
    built.close()


@pytest.fixture
async def http(services: Services) -> AsyncIterator[httpx.AsyncClient]:
    """Talk to the app as a caller on loopback."""
    transport = httpx.ASGITransport(create_app(services), client=("127.0.0.1", 1234))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:7070") as client:
        yield client


@pytest.fixture
async def remote(services: Services) -> AsyncIterator[httpx.AsyncClient]:
    """Talk to the app as a caller from elsewhere."""
    transport = httpx.ASGITransport(create_app(services), client=("203.0.113.9", 1234))
    async with httpx.AsyncClient(transport=transport, base_url="http://watch.example:7070") as client:
        yield client
