"""Langfuse's API at its door: who gets in, what is not served, and the shape of refusals."""

from __future__ import annotations

import base64

import httpx
import pytest

from tests.otlp import CHAT, TRACE, request, span
from watchkeeper.server import Services


def basic(public: str, secret: str) -> dict[str, str]:
    """Return the header by which Langfuse's clients say who they are."""
    return {"Authorization": "Basic " + base64.b64encode(f"{public}:{secret}".encode()).decode()}


@pytest.mark.parametrize("call", ["GET annotation-queues", "POST score-configs", "PATCH x/y", "DELETE scim/Users/1"])
async def test_a_call_that_is_not_served_names_itself(http: httpx.AsyncClient, call: str) -> None:
    """Whatever is not served answers 501 with the method and the path, in Langfuse's shape of an error."""
    method, _, path = call.partition(" ")
    answer = await http.request(method, f"/api/public/{path}")

    assert answer.status_code == 501
    assert answer.json() == {
        "message": f"Watchkeeper does not serve {method} /api/public/{path} (see docs/langfuse.md)", "error": "not_served",
    }  # fmt: skip


async def test_a_stranger_is_not_told_what_is_served(remote: httpx.AsyncClient) -> None:
    """From beyond loopback a call without a key is refused before it is looked at; health alone answers everyone."""
    refused = [await remote.get(f"/api/public/{path}") for path in ("annotation-queues", "projects")]
    health = await remote.get("/api/public/health")

    assert [one.status_code for one in refused] == [401, 401]
    assert {type(one.json()["message"]) for one in refused} == {str}
    assert (health.status_code, health.json()["status"]) == (200, "OK")


async def test_a_pair_of_keys_names_its_project(remote: httpx.AsyncClient, services: Services) -> None:
    """`auth_check` learns the project of the pair, and a wrong secret is refused."""
    services.control.ensure_project("mine")
    pair = services.control.keys.create("mine", ("ingest",))
    told = await remote.get("/api/public/projects", headers=basic(pair.key.public_id, pair.secret))
    wrong = await remote.get("/api/public/projects", headers=basic(pair.key.public_id, "sk-wrong"))

    assert [one["id"] for one in told.json()["data"]] == ["mine"]
    assert wrong.status_code == 401


async def test_spans_arrive_at_langfuses_path_too(http: httpx.AsyncClient) -> None:
    """An export to Langfuse's OTLP path is stored like any other, whatever its size below the limit of ingest."""
    big = span(attributes={**CHAT, "note": "x" * (1 << 20)})
    body = request(big).SerializeToString()
    sent = await http.post(
        "/api/public/otel/v1/traces", content=body, headers={"Content-Type": "application/x-protobuf"}
    )

    assert sent.status_code == 200
    assert (await http.get(f"/api/v1/traces/{TRACE}")).status_code == 200


async def test_a_body_over_the_limit_is_refused(http: httpx.AsyncClient) -> None:
    """A body that Langfuse's own server would refuse for its size is refused by 413."""
    answer = await http.post("/api/public/anything", content=b"x" * (6 << 20))

    assert (answer.status_code, answer.json()["error"]) == (413, "body_too_large")


async def test_of_a_batch_the_good_is_kept_and_the_bad_is_told(http: httpx.AsyncClient) -> None:
    """An event that cannot be stored is told with its id and a reason, and stops no other."""
    batch = [
        {"id": "1", "type": "score-create", "timestamp": "", "body": {"name": "x", "value": 1, "traceId": TRACE}},
        {"id": "2", "type": "score-create", "timestamp": "", "body": {"name": "x", "traceId": TRACE}},
        {"id": "3", "type": "score-create", "timestamp": "", "body": {"name": "x", "value": 1, "datasetRunId": "r"}},
        {"id": "4", "type": "nothing", "timestamp": "", "body": {}},
        {
            "id": "5",
            "type": "trace-create",
            "timestamp": "",
            "body": {"id": TRACE, "timestamp": "2026-11-26T10:00:00Z"},
        },
    ]
    answer = await http.post("/api/public/ingestion", json={"batch": batch, "metadata": {"sdk_name": "python"}})

    assert answer.status_code == 207
    assert [one["id"] for one in answer.json()["successes"]] == ["1", "5"]
    assert [(one["id"], one["status"]) for one in answer.json()["errors"]] == [("2", 400), ("3", 400), ("4", 400)]
    assert (await http.get(f"/api/v1/traces/{TRACE}")).status_code == 200


async def test_scores_answer_in_the_shape_of_the_question(http: httpx.AsyncClient) -> None:
    """One score answers its id, a list answers 202, and a list with a bad one answers 207 and says why."""
    good, bad = {"id": "s", "name": "x", "value": 1, "traceId": TRACE}, {"name": "x", "value": 1}
    single = await http.post("/api/public/scores", json=good)
    every = await http.post("/api/public/scores", json=[good, {**good, "id": "t"}])
    partly = await http.post("/api/public/scores", json=[good, bad])
    wrong = await http.post("/api/public/scores", json=bad)

    assert (single.status_code, single.json()) == (200, {"id": "s"})
    assert (every.status_code, every.json()) == (202, {"message": "Accepted"})
    assert (partly.status_code, partly.json()["accepted"], partly.json()["rejected"]) == (207, 1, 1)
    assert "about a trace" in partly.json()["errors"][0]["message"]
    assert wrong.status_code == 400
