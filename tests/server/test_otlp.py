"""OTLP over HTTP, from bytes to rows."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from pathlib import Path
from typing import Any

import httpx
import pytest
import zstandard
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from tests.otlp import CHAT, CHILD, ROOT, TRACE, log, request, span
from watchkeeper.kit.settings import ServerSettings
from watchkeeper.server import Services, assemble, create_app

PROTOBUF = {"Content-Type": "application/x-protobuf"}


async def send(http: httpx.AsyncClient, *spans: dict[str, Any], path: str = "/v1/traces") -> httpx.Response:
    """Export spans as protobuf."""
    return await http.post(path, content=request(*spans).SerializeToString(), headers=PROTOBUF)


async def detail(http: httpx.AsyncClient, span_id: str = ROOT, trace_id: str = TRACE) -> dict[str, Any]:
    """Read one span back."""
    answer = await http.get(f"/api/v1/traces/{trace_id}/spans/{span_id}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"\xff\xff\xff", PROTOBUF, 400),
        (b"{", {"Content-Type": "application/json"}, 400),
        (b"[]", {"Content-Type": "application/json"}, 400),
        (b"{}", {"Content-Type": "text/plain"}, 415),
        (b"x", PROTOBUF | {"Content-Encoding": "br"}, 415),
        (b"not gzip", PROTOBUF | {"Content-Encoding": "gzip"}, 400),
        (gzip.compress(b"\0" * 3_000_000), PROTOBUF | {"Content-Encoding": "gzip"}, 413),
        (b"\0" * 3_000_000, PROTOBUF, 413),
    ],
)
async def test_what_is_no_otlp_is_refused(
    http: httpx.AsyncClient, content: bytes, headers: dict[str, str], status: int
) -> None:
    """Broken bodies, unknown types and encodings, and bodies over the limit (packed or not) have their own refusals."""
    answer = await http.post("/v1/traces", content=content, headers=headers)

    assert answer.status_code == status


async def test_one_bad_span_never_rejects_its_batch(http: httpx.AsyncClient) -> None:
    """A span with a bad id is refused by number and reason; its neighbours are stored."""
    message = request(span(), span(span_id=CHILD))
    message.resource_spans[0].scope_spans[0].spans[1].span_id = b"short"
    answer = await http.post("/v1/traces", content=message.SerializeToString(), headers=PROTOBUF)
    partial = ExportTraceServiceResponse.FromString(answer.content).partial_success

    assert answer.status_code == 200
    assert partial.rejected_spans == 1
    assert "5 bytes" in partial.error_message
    assert (await detail(http))["span_id"] == ROOT


async def test_overload_says_when_to_come_back(tmp_path: Path) -> None:
    """When too much is in flight the answer is 429 with Retry-After, and nothing is stored."""
    services = assemble(ServerSettings(queue_mib=0), tmp_path / "data")
    transport = httpx.ASGITransport(create_app(services), client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        answers = await asyncio.gather(*(send(http, span()) for _ in range(4)))
    services.close()
    refused = [answer for answer in answers if answer.status_code == 429]

    assert refused
    assert refused[0].headers["retry-after"] == "1"


ENCODINGS = {
    "": lambda body: body,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("kind", ["application/x-protobuf; charset=utf-8", "Application/JSON;charset=UTF-8"])
async def test_every_encoding_gives_the_same_span(http: httpx.AsyncClient, encoding: str, kind: str) -> None:
    """Protobuf and JSON, plain or packed, with any charset, come to the same priced span."""
    message = request(span(start=10**18, end=10**18 + 5))
    if "json" in kind.lower():
        tree = MessageToDict(message)
        (made,) = tree["resourceSpans"][0]["scopeSpans"][0]["spans"]
        made["traceId"], made["spanId"] = TRACE, ROOT
        body = json.dumps(tree).encode()
    else:
        body = message.SerializeToString()
    headers = {"Content-Type": kind} | ({"Content-Encoding": encoding} if encoding else {})
    answer = await http.post("/v1/traces", content=ENCODINGS[encoding](body), headers=headers)
    found = await detail(http)

    assert answer.status_code == 200
    assert found["usage"]["input_tokens"] == 1000
    assert found["cost"]["nano"] == "420000"
    assert found["raw"]["attributes"] == {**CHAT}


async def test_a_resend_changes_nothing(http: httpx.AsyncClient) -> None:
    """The same span twice is one span, counted once."""
    one = span()
    await send(http, one)
    await send(http, one)
    status = (await http.get("/api/v1/status")).json()
    metrics = (await http.get("/metrics")).text

    assert status["spans"] == 1
    assert (
        'watchkeeper_llm_request_duration_seconds_count{project="default",service="support-bot",provider="openai",'
        'model="gpt-4o-mini-2024-07-18",operation="chat",status="ok"} 1\n'
    ) in metrics


async def test_a_log_brings_the_messages_before_or_after_its_span(http: httpx.AsyncClient) -> None:
    """Content that comes as a log record is joined by ids, whichever arrives first."""
    bare = {key: item for key, item in CHAT.items() if "messages" not in key}
    messages = {
        "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "Weather in Bern?"}]}],
        "gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "text", "content": "Sunny."}]}],
    }
    for first, span_id in (("log", ROOT), ("span", CHILD)):
        record = log("gen_ai.client.inference.operation.details", messages, span_id=span_id).SerializeToString()
        steps = [
            lambda body=record: http.post("/v1/logs", content=body, headers=PROTOBUF),
            lambda span_id=span_id: send(http, span(span_id=span_id, attributes=bare)),
        ]
        for step in steps if first == "log" else reversed(steps):
            assert (await step()).status_code == 200
        found = await detail(http, span_id)

        assert found["output"]["messages"][0]["parts"] == [{"type": "text", "text": "Sunny."}]
        assert found["cost"]["nano"] == "420000"


async def test_an_evaluation_event_becomes_a_score(http: httpx.AsyncClient) -> None:
    """OTel's evaluation log event is a score on its span; a log that names no span is refused by number."""
    told = {
        "gen_ai.evaluation.name": "faithful",
        "gen_ai.evaluation.score.value": 0.5,
        "gen_ai.evaluation.score.label": "so-so",
    }
    body = log("gen_ai.evaluation.result", told).SerializeToString()
    for _ in range(2):
        await http.post("/v1/logs", content=body, headers=PROTOBUF)
    lost = log("other", {})
    lost.resource_logs[0].scope_logs[0].log_records[0].trace_id = b""
    answer = await http.post("/v1/logs", content=lost.SerializeToString(), headers=PROTOBUF)
    scores = (await http.get("/api/v1/scores", params={"trace_id": TRACE})).json()["items"]

    assert [(s["name"], s["value"], s["label"]) for s in scores] == [("faithful", 0.5, "so-so")]
    assert ExportLogsServiceResponse.FromString(answer.content).partial_success.rejected_log_records == 1


async def test_metrics_are_accepted(http: httpx.AsyncClient) -> None:
    """An empty metrics export is answered as OTLP asks, in the encoding it came in."""
    assert (await http.post("/v1/metrics", content=b"", headers=PROTOBUF)).status_code == 200
    answer = await http.post("/v1/metrics", content=b"{}", headers={"Content-Type": "application/json"})

    assert answer.json() == {}


async def test_trace_facts_reach_the_children(http: httpx.AsyncClient, services: Services) -> None:
    """A session on the root is on its children within a second of the root's arrival."""
    await send(http, span(span_id=CHILD, parent=ROOT))
    await send(http, span(attributes={"session.id": "s1", "user.id": "ada"}, name="POST /ask"))
    for _ in range(50):
        found = await detail(http, CHILD)
        if found["session_id"]:
            break
        await asyncio.sleep(0.1)

    assert (found["session_id"], found["user_id"]) == ("s1", "ada")
