"""`/mcp`: who gets in, and how."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from tests.mcp.conftest import Connect, ask, refused
from tests.otlp import TRACE
from tests.serving import Served
from watchkeeper.kit.settings import ServerSettings
from watchkeeper.server import assemble, create_app

INITIALIZE = {
    "jsonrpc": "2.0", "id": 1, "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
}  # fmt: skip
SENT = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}


def _post(house: Served, project: str | None = None, body: object = INITIALIZE, **headers: str) -> tuple[int, str]:
    named = {name.replace("-", "_"): value for name, value in SENT.items()} | headers
    status, answer, _ = house.call("/mcp", json.dumps(body).encode(), project, **named)
    return status, answer.decode()


def test_who_may_not_read_is_refused_at_the_door(house: Served) -> None:
    """A key that may only send gets 403, one nobody knows 401, and so does a name that is not ours without a key."""
    assert _post(house, "alpha")[0] == 200
    assert _post(house, "sender")[0] == 403
    assert _post(house, Authorization="Bearer sk-wrong")[0] == 401
    assert _post(house, Host="evil.example")[0] == 401
    assert _post(house, X_Forwarded_For="203.0.113.9")[0] == 401


def test_pages_of_other_origins_are_refused(house: Served) -> None:
    """A page elsewhere is refused with a key, by the SDK, and without one, by the door; one of our own origin is not."""
    own = house.url

    assert _post(house, "alpha", Origin="https://evil.example") == (403, "Invalid Origin header")
    assert _post(house, Origin="https://evil.example")[0] == 403
    assert _post(house, "alpha", Origin=own)[0] == 200


def test_there_are_no_sessions_and_no_streams(house: Served) -> None:
    """GET and DELETE, which are for those, are answered 405; an answer is JSON and names no session."""
    answer = httpx.get(f"{house.url}/mcp", headers={"Authorization": f"Bearer {house.keys['alpha']}"})
    deleted = httpx.delete(f"{house.url}/mcp", headers={"Authorization": f"Bearer {house.keys['alpha']}"})
    headers = {**SENT, "Authorization": f"Bearer {house.keys['alpha']}"}
    opened = httpx.post(f"{house.url}/mcp", json=INITIALIZE, headers=headers)

    assert (answer.status_code, deleted.status_code, answer.headers["allow"]) == (405, 405, "POST")
    assert "mcp-session-id" not in opened.headers
    assert opened.json()["result"]["serverInfo"]["name"] == "watchkeeper"


def test_a_body_over_the_limit_and_one_that_is_none_are_refused(house: Served) -> None:
    """More than a mebibyte is 413; what is no JSON-RPC is 400, in JSON."""
    assert _post(house, "alpha", "x" * (1 << 20))[0] == 413
    assert _post(house, "alpha", ["nonsense"])[0] == 400


async def test_clients_of_the_older_protocol_are_served(house: Served) -> None:
    """A client that shakes hands as until 2025 calls tools as well."""
    async with httpx2.AsyncClient(headers={"x-api-key": house.keys["alpha"]}) as plain:
        transport = streamable_http_client(f"{house.url}/mcp", http_client=plain)
        async with Client(transport, mode="legacy") as client:
            found = await ask(client, "show_trace", trace_id=TRACE)

    assert found["trace"]["trace_id"] == TRACE


async def test_two_keys_at_once_do_not_mix(http: Connect) -> None:
    """Twenty calls of two keys, at the same time, each see their own project."""
    async with http("alpha") as alpha, http("beta") as beta:
        mine, theirs = await asyncio.gather(
            asyncio.gather(*(ask(alpha, "show_trace", trace_id=TRACE) for _ in range(10))),
            asyncio.gather(*(refused(beta, "show_trace", trace_id=TRACE) for _ in range(10))),
        )

    assert {one["trace"]["trace_id"] for one in mine} == {TRACE}
    assert all("there is no trace" in one for one in theirs)


@pytest.fixture
async def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    """A server whose installation lacks the SDK."""
    monkeypatch.setattr("watchkeeper.server.mcp.find_spec", lambda _: None)
    services = assemble(ServerSettings(), tmp_path / "data")
    transport = httpx.ASGITransport(create_app(services), client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client
    services.close()


async def test_without_the_sdk_it_says_what_to_install(bare: httpx.AsyncClient) -> None:
    """A server without the SDK answers 503 with the line that installs it."""
    answer = await bare.post("/mcp", json=INITIALIZE, headers=SENT)

    assert answer.status_code == 503
    assert answer.json()["error"]["hint"] == 'pip install "watchkeeper[mcp]"'
