"""The API: access, paging, figures, scores, SQL, and the shape of errors."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.otlp import CHAT, CHILD, ROOT, TRACE, request, span
from watchkeeper.kit.clock import parse_rfc3339
from watchkeeper.kit.errors import ConfigError
from watchkeeper.kit.settings import ServerSettings
from watchkeeper.server import Services, create_app, openapi, serve

PROTOBUF = {"Content-Type": "application/x-protobuf"}
REPOSITORY = Path(__file__).parents[2]


async def fill(http: httpx.AsyncClient, count: int = 3) -> None:
    """Store traces of two spans each, the last one failing."""
    for number in range(count):
        trace_id = f"{number + 1:032x}"
        root = span(
            trace_id=trace_id,
            attributes={"user.id": f"user-{number}"},
            name="POST /ask",
            start=10**18 + number,
            end=10**18 + 10**9,
        )
        call = span(trace_id=trace_id, span_id=CHILD, parent=ROOT, start=10**18 + number, end=10**18 + 5 * 10**8)
        if number == count - 1:
            root["status"] = call["status"] = 2
        answer = await http.post("/v1/traces", content=request(root, call).SerializeToString(), headers=PROTOBUF)
        assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/traces", "/api/v1/status", "/metrics", "/v1/traces", "/api/v1/openapi.json"])
async def test_nothing_gets_in_from_elsewhere_without_a_key(remote: httpx.AsyncClient, path: str) -> None:
    """A caller beyond loopback without a key, or with an unknown one, gets 401 everywhere but the health checks."""
    for headers in ({}, {"Authorization": "Bearer sk-wrong"}):
        answer = await (
            remote.post(path, headers=headers) if path == "/v1/traces" else remote.get(path, headers=headers)
        )
        assert answer.status_code == 401

    assert (await remote.get("/healthz")).status_code == 200


def basic(pair: str) -> str:
    """Return a Basic header's value."""
    return "Basic " + base64.b64encode(pair.encode()).decode()


WAYS: list[tuple[str, str]] = [
    ("Authorization", "Bearer {}"), ("Authorization", "bearer  {} "), ("Authorization", "Bearer%20{}"),
    ("authorization", "{}"), ("x-api-key", "{}"), ("api_key", "{}"), ("api-key", "{}"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "form"), WAYS)
async def test_every_way_to_send_a_key_works(remote: httpx.AsyncClient, name: str, form: str) -> None:
    """A key is understood in each form that clients send it in, and a wrong one is refused in each."""
    answers = [await remote.get("/api/v1/status", headers={name: form.format(one)}) for one in ("sk-test", "sk-wrong")]

    assert [one.status_code for one in answers] == [200, 401]


@pytest.mark.parametrize(
    ("pair", "status"),
    [
        ("pk-x:sk-test", 200),
        ("sk-test:", 200),
        ("pk-x:sk-wrong", 401),
        ("sk-test:sk-wrong", 401),
        ("pk-x:", 401),
        (":", 401),
    ],
)
async def test_basic_brings_a_key_too(remote: httpx.AsyncClient, pair: str, status: int) -> None:
    """Basic is understood with the secret as password, or as the name where there is no password."""
    assert (await remote.get("/api/v1/status", headers={"Authorization": basic(pair)})).status_code == status


@pytest.mark.parametrize(
    "value", ["Basic", "Basic !", "Basic " + base64.b64encode(b"\xff:\xff").decode(), "Bearer", "Bearer  "]
)
async def test_a_header_that_holds_no_key_is_none(remote: httpx.AsyncClient, value: str) -> None:
    """A scheme without a key is refused, and no key of another header steps in for it."""
    answer = await remote.get("/api/v1/status", headers={"Authorization": value, "x-api-key": "sk-test"})

    assert answer.status_code == 401


async def test_logfires_question_is_answered(remote: httpx.AsyncClient) -> None:
    """What Logfire's SDK asks of its token is answered with the project that the key is of, or refused."""
    known = await remote.get("/v1/info", headers={"Authorization": "sk-test"})
    unknown = await remote.get("/v1/info", headers={"Authorization": "sk-wrong"})

    assert (known.status_code, known.json()["project_name"]) == (200, "default")
    assert known.json()["project_url"].startswith("http")
    assert unknown.status_code == 401


async def test_a_rebound_name_and_a_proxy_are_not_loopback(http: httpx.AsyncClient) -> None:
    """A request on loopback whose Host is another name, or that a proxy passed on, needs a key."""
    rebound = await http.get("/api/v1/status", headers={"Host": "evil.example"})
    proxied = await http.get("/api/v1/status", headers={"X-Forwarded-For": "203.0.113.9"})

    assert (rebound.status_code, proxied.status_code) == (401, 401)


async def test_a_page_of_another_origin_may_not_write(http: httpx.AsyncClient) -> None:
    """A cross-origin POST from a browser is refused; the same origin may."""
    body = {"sql": "select 1"}
    there = await http.post("/api/v1/query", json=body, headers={"Origin": "https://evil.example"})
    here = await http.post("/api/v1/query", json=body, headers={"Origin": "http://127.0.0.1:7070"})

    assert (there.status_code, here.status_code) == (403, 200)


def test_a_wider_address_wants_a_key(tmp_path: Path) -> None:
    """Listening beyond loopback without a secret key is refused before anything is opened."""
    with pytest.raises(ConfigError, match="without authentication"):
        serve(ServerSettings(host="0.0.0.0", data_dir=tmp_path), lambda _: None)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/v1/traces/" + "a" * 32, 404, "not_found"),
        ("/api/v1/traces/xyz", 422, "invalid"),
        ("/api/v1/traces?limit=0", 422, "invalid"),
        ("/api/v1/traces?since=soon", 400, "bad_request"),
        ("/api/v1/traces?cursor=nonsense", 400, "bad_request"),
        ("/api/v1/overview?since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z", 400, "bad_request"),
        ("/api/v1/nowhere", 404, "not_found"),
    ],
)
async def test_errors_have_one_shape(http: httpx.AsyncClient, path: str, status: int, code: str) -> None:
    """Every refusal is an envelope with a stable code and a sentence."""
    answer = await http.get(path)

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.json()["error"]["message"]


async def test_a_huge_api_body_is_refused(http: httpx.AsyncClient) -> None:
    """The JSON API takes at most a mebibyte, declared or streamed."""

    async def pieces() -> Any:
        for _ in range(40):
            yield b"x" * 50_000

    declared = await http.post("/api/v1/scores", content=b"x" * 2_000_000)
    streamed = await http.post("/api/v1/scores", content=pieces())

    assert (declared.status_code, streamed.status_code) == (413, 413)


async def test_traces_page_without_gaps(http: httpx.AsyncClient) -> None:
    """Cursor paging gives every trace once, newest first."""
    await fill(http, 5)
    seen: list[str] = []
    cursor: str | None = None
    while True:
        params = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await http.get("/api/v1/traces", params=params)).json()
        seen += [trace["trace_id"] for trace in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert seen == [f"{number:032x}" for number in (5, 4, 3, 2, 1)]


async def test_a_trace_is_summed_over_its_calls(http: httpx.AsyncClient) -> None:
    """A trace's tokens and cost are its model calls', and its status the root's."""
    await fill(http)
    newest = (await http.get("/api/v1/traces")).json()["items"][0]
    whole = (await http.get(f"/api/v1/traces/{newest['trace_id']}")).json()

    assert (newest["name"], newest["status"], newest["spans"], newest["calls"], newest["errors"]) == (
        "POST /ask",
        "error",
        2,
        1,
        2,
    )
    assert (newest["input_tokens"], newest["output_tokens"], newest["cost_nano_usd"]) == (1000, 500, "420000")
    assert {one["name"] for one in whole["spans"]} == {"POST /ask", "chat gpt-4o-mini"}


async def test_filters_hold(http: httpx.AsyncClient) -> None:
    """Service, model, status, user and text each narrow the list."""
    await fill(http)

    async def count(**params: str) -> int:
        return len((await http.get("/api/v1/traces", params=params)).json()["items"])

    assert await count(status="error") == 1
    assert await count(user="user-1") == 1
    assert await count(model="gpt-4o-mini-2024-07-18") == 3
    assert await count(service="support-bot", q="SUNNY") == 3
    assert await count(service="other") == 0
    assert await count(q="100%_nothing") == 0


async def test_overview_counts_calls(http: httpx.AsyncClient) -> None:
    """The overview's figures are the stored calls', by model and over time."""
    await fill(http)
    window = {"since": "2001-09-09T00:00:00Z", "until": "2001-09-10T00:00:00Z", "buckets": "4"}
    found = (await http.get("/api/v1/overview", params=window)).json()
    facets = (await http.get("/api/v1/facets", params=window)).json()

    assert (found["requests"], found["errors"], found["unpriced"], found["cost_nano_usd"]) == (3, 1, 0, "1260000")
    assert found["models"][0]["model"] == "gpt-4o-mini-2024-07-18"
    assert sum(bucket["requests"] for bucket in found["buckets"]) == 3
    assert sum(found["latency"]["counts"]) == 3
    assert facets["services"] == ["support-bot"]


@pytest.mark.parametrize("asked", [{}, {"since": "2001-09-09T00:00:00.5Z"}])
async def test_a_window_without_an_end_holds_now(http: httpx.AsyncClient, asked: dict[str, str]) -> None:
    """Without `until` the overview holds all up to a minute from now, in buckets of whole seconds."""
    found = (await http.get("/api/v1/overview", params=asked)).json()

    assert parse_rfc3339(found["until"]) >= time.time_ns() + 59 * 10**9
    assert parse_rfc3339(found["since"]) == parse_rfc3339(asked.get("since", found["since"]))
    assert int(found["step_ns"]) % 10**9 == 0


@pytest.mark.parametrize(
    "score",
    [
        {"name": "x", "trace_id": TRACE},
        {"name": "x", "value": 1},
        {"name": "x", "value": 1, "span_id": ROOT},
        {"name": "", "value": 1, "trace_id": TRACE},
        {"name": "x", "value": 1, "trace_id": TRACE, "surprise": 1},
    ],
)
async def test_a_score_about_nothing_is_refused(http: httpx.AsyncClient, score: dict[str, Any]) -> None:
    """A score needs a name, a verdict and something to be about, and nothing else."""
    assert (await http.post("/api/v1/scores", json=score)).status_code == 422


async def test_a_score_with_the_same_id_replaces(http: httpx.AsyncClient) -> None:
    """Scores are idempotent by id."""
    for value in (0, 1):
        score = {"id": "one", "name": "good", "value": value, "trace_id": TRACE}
        assert (await http.post("/api/v1/scores", json=score)).status_code == 201
    items = (await http.get("/api/v1/scores", params={"trace_id": TRACE})).json()["items"]

    assert [(item["id"], item["value"]) for item in items] == [("one", 1.0)]


async def test_sql_answers_and_refuses(http: httpx.AsyncClient) -> None:
    """A SELECT over the documented columns answers; anything else is refused with a reason."""
    await fill(http)
    columns = (
        "trace_id, span_id, parent_span_id, project, service, kind, name, provider, model, session_id, user_id, "
        "start_time, duration_ns, input_tokens, output_tokens, cost_nano_usd, status"
    )
    every = (await http.post("/api/v1/query", json={"sql": f"select {columns} from spans order by start_time"})).json()
    total = (await http.post("/api/v1/query", json={"sql": "select sum(cost_nano_usd) from spans"})).json()
    refused = await http.post("/api/v1/query", json={"sql": "drop table spans"})

    assert every["columns"] == columns.split(", ")
    assert len(every["rows"]) == 6
    assert total["rows"] == [[1260000]]
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "query_refused")


async def test_dotted_attribute_keys_are_one_key(http: httpx.AsyncClient) -> None:
    """`attributes->>'gen_ai.request.model'` finds the attribute of that name, dots and all; paths work too."""
    await fill(http, 1)
    sql = """select attributes->>'gen_ai.request.model', json_extract_string(resource, '$."service.name"')
             from spans where kind = 'llm'"""
    found = (await http.post("/api/v1/query", json={"sql": sql})).json()

    assert found["rows"] == [["gpt-4o-mini", "support-bot"]]


async def test_raw_survives_verbatim(http: httpx.AsyncClient) -> None:
    """Bytes, big integers, doubles, arrays and nested lists come back as what they were."""
    odd: dict[str, Any] = {
        "big": 2**62,
        "whole": 1.0,
        "bytes": b"\x00\xff",
        "list": [1, "a", None],
        "map": {"a": {"b": True}},
        "nan": float("nan"),
    }
    await http.post(
        "/v1/traces", content=request(span(attributes={**CHAT, **odd})).SerializeToString(), headers=PROTOBUF
    )
    found = (await http.get(f"/api/v1/traces/{TRACE}/spans/{ROOT}")).json()["raw"]["attributes"]

    assert found["big"] == str(2**62)
    assert found["bytes"] == "base64:AP8="
    assert (found["list"], found["map"], found["nan"]) == ([1, "a", None], {"a": {"b": True}}, "nan")


async def test_the_page_is_locked_down(http: httpx.AsyncClient) -> None:
    """Answers carry a policy that lets in no script from elsewhere."""
    answer = await http.get("/api/v1/status")

    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_openapi_is_the_committed_one(services: Services) -> None:
    """The API's description is the file that the UI's client is made from."""
    committed = json.loads((REPOSITORY / "openapi.json").read_text())

    assert openapi(create_app(services)) == committed


async def test_a_span_says_what_was_odd_about_it_until_it_is_not(http: httpx.AsyncClient) -> None:
    """A child without its parent says so, and no longer once the parent has come."""
    child, parent = span(span_id=CHILD, parent=ROOT, attributes={}), span(attributes={})
    path = f"/api/v1/traces/{TRACE}/spans/{CHILD}"
    await http.post("/v1/traces", content=request(child).SerializeToString(), headers=PROTOBUF)
    alone = (await http.get(path)).json()["notes"]
    await http.post("/v1/traces", content=request(parent).SerializeToString(), headers=PROTOBUF)

    assert [note["code"] for note in alone] == ["orphan"]
    assert (await http.get(path)).json()["notes"] == []
