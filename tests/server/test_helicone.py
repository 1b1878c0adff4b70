"""Helicone's asynchronous log, from a request to a row."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.otlp import CHAT, request, span
from watchkeeper.kit.settings import ServerSettings
from watchkeeper.server import Services, assemble, create_app

LOG: dict[str, Any] = {
    "providerRequest": {
        "url": "custom-model-nopath",
        "json": {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "I am jane@example.com"}]},
        "meta": {},
    },
    "providerResponse": {
        "status": 200,
        "json": {
            "model": "gpt-4o-mini-2024-07-18",
            "choices": [{"message": {"role": "assistant", "content": "Hello."}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 100, "completion_tokens": 20, "prompt_tokens_details": {"cached_tokens": 64}},
        },
    },
    "timing": {"startTime": {"seconds": 1_800_000_000, "milliseconds": 0}, "endTime": {"seconds": 1_800_000_001}},
}
WHO = {"Helicone-User-Id": "user-1", "Helicone-Session-Id": "session-1", "Helicone-Property-App": "bot"}


async def row(http: httpx.AsyncClient) -> dict[str, Any]:
    """Return the one span there is, whole."""
    (listed,) = (await http.get("/api/v1/spans")).json()["items"]
    found: dict[str, Any] = (await http.get(f"/api/v1/traces/{listed['trace_id']}/spans/{listed['span_id']}")).json()
    return found


@pytest.mark.parametrize("log", ["custom", "oai"])
async def test_a_log_is_a_row_once_it_is_answered(http: httpx.AsyncClient, log: str) -> None:
    """A log that was answered 200 is stored, masked, mapped and priced, and once however often it is sent."""
    for _ in range(2):
        answer = await http.post(f"/{log}/v1/log", json=LOG, headers=WHO)
    found = await row(http)

    assert (answer.status_code, answer.json()) == (200, {"status": "stored"})
    assert (found["service"], found["user_id"], found["session_id"]) == ("bot", "user-1", "session-1")
    assert (found["provider"], found["model"], found["usage"]["cache_read_tokens"]) == (
        "openai", "gpt-4o-mini-2024-07-18", 64,
    )  # fmt: skip
    assert found["cost"]["state"] == "computed"
    assert found["input"]["messages"][0]["parts"][0]["text"] == "I am [MASKED:email]"


async def test_a_compressed_log_is_read(http: httpx.AsyncClient) -> None:
    """What OTLP's bodies may be packed with, a log may be packed with."""
    body = gzip.compress(json.dumps(LOG).encode())
    answer = await http.post("/custom/v1/log", content=body, headers={"Content-Encoding": "gzip"})

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("content", "headers", "status", "code"),
    [
        (b"{", {}, 400, "bad_request"),
        (b'{"providerRequest":{}}', {}, 400, "bad_request"),
        (b"x", {"Content-Encoding": "br"}, 415, "media_type"),
        (b" " * 3_000_000, {}, 413, "body_too_large"),
        (gzip.compress(b" " * 3_000_000), {"Content-Encoding": "gzip"}, 413, "body_too_large"),
    ],
)
async def test_what_is_no_log_is_refused(
    http: httpx.AsyncClient, services: Services, content: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    """Broken and foreign bodies, unknown encodings and bodies over the limit are refused by name, and counted."""
    answer = await http.post("/custom/v1/log", content=content, headers=headers)
    page, _ = services.metrics.page("", "", None)

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert f'code="{code}"' in page.decode()


async def test_a_log_is_only_posted(http: httpx.AsyncClient) -> None:
    """Another method is answered with the one that is taken."""
    answer = await http.get("/custom/v1/log")

    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_where_content_is_off_the_figures_stay(tmp_path: Path) -> None:
    """In capture mode off nothing that was said is stored; the model, the tokens and the cost are."""
    services = assemble(ServerSettings(capture="off"), tmp_path / "data")
    transport = httpx.ASGITransport(create_app(services), client=("127.0.0.1", 1234))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:7070") as http:
        assert (await http.post("/oai/v1/log", json=LOG, headers=WHO)).status_code == 200
        found = await row(http)
    services.close()

    assert (found["model"], found["usage"]["input_tokens"], found["cost"]["state"]) == (
        "gpt-4o-mini-2024-07-18", 100, "computed",
    )  # fmt: skip
    assert found["input"] is found["output"] is None
    assert not {"jane", "Hello."} & set(json.dumps(found).split())


@pytest.mark.parametrize("path", ["/v1/trace/log", "/v1/trace/log-python"])
async def test_helicones_asynchronous_loggers_send_spans(http: httpx.AsyncClient, path: str) -> None:
    """Where Helicone takes OTLP, spans are taken as they are at OTLP's own path, with Helicone's words for whose they are."""
    words = {"Session-Id": "session-1", "User-Id": "user-1", "Property-Environment": "test"}
    attributes = {f"traceloop.association.properties.Helicone-{key}": value for key, value in words.items()}
    body = request(span(attributes={**CHAT, **attributes})).SerializeToString()
    answer = await http.post(path, content=body, headers={"Content-Type": "application/x-protobuf"})
    found = await row(http)

    assert answer.status_code == 200
    assert (found["session_id"], found["user_id"], found["environment"]) == ("session-1", "user-1", "test")
