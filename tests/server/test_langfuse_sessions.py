"""Langfuse's session calls over our store."""

from __future__ import annotations

import time

import httpx
import pytest

from tests.otlp import CHAT, TRACE, request, span

URL = "/api/public/sessions"
OTHER = "f" * 32


async def send(http: httpx.AsyncClient, *spans: object) -> None:
    """Send spans, and wait until they are durable."""
    body = request(*spans).SerializeToString()  # type: ignore[arg-type]
    answer = await http.post("/v1/traces", content=body, headers={"Content-Type": "application/x-protobuf"})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [("/nowhere", 404), ("?limit=101", 400), ("?page=0", 400), ("?fromTimestamp=yesterday", 400)],
)
async def test_what_cannot_be_answered_is_refused(http: httpx.AsyncClient, path: str, status: int) -> None:
    """A session nobody knows is 404; a page or a time that is none is 400."""
    assert (await http.get(URL + path)).status_code == status


async def test_sessions_are_listed_and_told(http: httpx.AsyncClient) -> None:
    """A session has its traces, the oldest first, each as its entry span tells it; one without is in no session."""
    told = {"session.id": "talk/1", "user.id": "ada", "langfuse.trace.metadata.team": '{"a":1}'}
    await send(
        http,
        span(
            attributes={**told, "langfuse.observation.input": '{"city": "Bern"}', "langfuse.version": "v7"}, name="root"
        ),
        span(span_id="b" * 16, start=time.time_ns(), trace_id=OTHER, attributes={**CHAT, **told}),
        span(span_id="c" * 16, trace_id="e" * 32, attributes=CHAT),
    )
    listed = (await http.get(URL, params={"environment": ["test", "default"]})).json()
    none = (await http.get(URL, params={"environment": "prod"})).json()
    whole = (await http.get(f"{URL}/talk%2F1")).json()

    assert ([one["id"] for one in listed["data"]], listed["meta"]["totalItems"]) == (["talk/1"], 1)
    assert none["data"] == []
    assert {**whole, "traces": None} == {**listed["data"][0], "traces": None}
    first, second = whole["traces"]
    assert (first["id"], first["name"], first["input"]) == (TRACE, "root", {"city": "Bern"})
    assert first["metadata"] == {"team": {"a": 1}}
    assert [first[name] for name in ("userId", "sessionId", "environment", "version")] == [
        "ada",
        "talk/1",
        "test",
        "v7",
    ]
    assert second["id"] == OTHER
    assert {one["role"] for one in second["input"]} == {"user"}
