"""Other people's clients, configured only as their own documentation says, against a running server."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.clients import run
from tests.clients.client import setups
from tests.clients.conformance import complaints
from tests.serving import Served, serving

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Run a server with a project and a key for each client in each way it is set up."""
    with serving(tmp_path_factory.mktemp("clients"), projects=tuple(setups()), grpc=True) as served:
        yield served


@pytest.fixture(scope="session")
def providers() -> Iterator[run.Providers]:
    """Run the fake providers."""
    with run.providing() as there:
        yield there


@pytest.mark.parametrize("name", setups())
def test_a_running_server_tells_the_canonical_rows(name: str, server: Served, providers: run.Providers) -> None:
    """A client, run as the key of its project, gives the rows that its recording gives: canonical, or explained."""
    setup = setups()[name]

    run.run(setup, run.Place(server.url, f"pk-{name}", server.keys[name], server.grpc_port), providers)
    wrong = complaints(told(server, name), setup)
    for _ in range(6):
        if not wrong:
            break
        # A trace that came in two exports has its session and user on every span within a second.
        time.sleep(0.5)
        wrong = complaints(told(server, name), setup)

    assert not wrong, f"{name}:\n" + "\n".join(wrong)


def told(server: Served, project: str) -> list[dict[str, Any]]:
    """Return every span of the project, whole."""
    listed = _read(server, project, "spans?limit=500")["items"]
    assert _read(server, "default", "spans")["items"] == []
    return [_read(server, project, f"traces/{one['trace_id']}/spans/{one['span_id']}") for one in listed]


def _read(server: Served, project: str, path: str) -> Any:
    """Read one answer of the API."""
    status, body, _ = server.call(f"/api/v1/{path}", project=project if project in server.keys else None)
    assert status == 200, body
    return json.loads(body)
