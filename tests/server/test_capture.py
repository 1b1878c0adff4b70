"""What arrives is masked before anything is stored: nothing of it is on disk, however it came."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from google.protobuf.json_format import MessageToJson

from tests.otlp import CHAT, CHILD, ROOT, TRACE, log, request, span
from watchkeeper.guard import Masker, Pseudonyms
from watchkeeper.kit.settings import ServerSettings
from watchkeeper.model import RawLog, RawSpan
from watchkeeper.server import Services, assemble, create_app

PROTOBUF = {"Content-Type": "application/x-protobuf"}
MAIL, PHONE, IBAN, CARD = "anna.muster@example.org", "+41 44 668 18 00", "CH9300762011623852957", "4111 1111 1111 1111"
KEY = "sk-proj-" + "a1B2c3D4" * 6
PERSONAL = (MAIL, PHONE, IBAN, CARD)
SAID = f"I am {MAIL}, call {PHONE}, pay {IBAN} by {CARD}, with {KEY}"


def chat(text: str) -> dict[str, Any]:
    """Return a chat's attributes in which the text stands in every place a text may stand."""
    message = json.dumps([{"role": "user", "parts": [{"type": "text", "content": text}]}])
    return {
        **CHAT, "gen_ai.input.messages": message, "gen_ai.output.messages": message, "user.id": MAIL,
        "note": text, "nested": {"deep": [text]}, "http.url": f"https://example.org/?token={KEY}",
    }  # fmt: skip


async def serve(folder: Path, **settings: Any) -> AsyncIterator[tuple[Services, httpx.AsyncClient]]:
    """Run the services on a folder, with a caller on loopback."""
    services = assemble(ServerSettings(**settings), folder)
    transport = httpx.ASGITransport(create_app(services), client=("127.0.0.1", 1234))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:7070") as http:
        yield services, http
    services.close()


async def export(http: httpx.AsyncClient, text: str = SAID) -> None:
    """Send the text as protobuf, as JSON, as a log record and as a score's comment."""
    first = request(span(attributes=chat(text), name=f"chat {text}"))
    second = request(span(span_id=CHILD, parent=ROOT, attributes=chat(text)))
    assert (await http.post("/v1/traces", content=first.SerializeToString(), headers=PROTOBUF)).status_code == 200
    as_json = MessageToJson(second)
    for name, value in (("traceId", TRACE), ("spanId", CHILD), ("parentSpanId", ROOT)):
        told = json.loads(as_json)
        told["resourceSpans"][0]["scopeSpans"][0]["spans"][0][name] = value
        as_json = json.dumps(told)
    answer = await http.post("/v1/traces", content=as_json, headers={"Content-Type": "application/json"})
    assert answer.status_code == 200
    record = log(
        "gen_ai.client.inference.operation.details", attributes={"gen_ai.input.messages": text}, body=text
    ).SerializeToString()
    assert (await http.post("/v1/logs", content=record, headers=PROTOBUF)).status_code == 200
    score = {"name": "thumb", "value": 1, "trace_id": TRACE, "source": "human", "comment": text}
    assert (await http.post("/api/v1/scores", json=score)).status_code in {200, 201}


def on_disk(folder: Path) -> bytes:
    """Return every byte under the folder."""
    return b"\n".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


@pytest.mark.parametrize("processes", [0, 1])
async def test_nothing_personal_is_on_disk(tmp_path: Path, processes: int) -> None:
    """By default neither a secret nor personal data is in any file, whichever way it came and whoever packed it."""
    async for services, http in serve(tmp_path / "data", ingest_processes=processes):
        if processes:
            services.ingest.workers.take(1 << 30)
            deadline = time.monotonic() + 30
            while services.ingest.workers.running < processes:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.02)
        await export(http)
    stored = on_disk(tmp_path / "data")

    assert [text for text in (*PERSONAL, KEY) if text.encode() in stored] == []
    assert b"MASKED" in stored


async def test_full_keeps_all_but_secrets(tmp_path: Path) -> None:
    """In mode `full` personal data stays and secrets do not."""
    async for _, http in serve(tmp_path / "data", capture="full"):
        await export(http)
    stored = on_disk(tmp_path / "data")

    assert MAIL.encode() in stored
    assert KEY.encode() not in stored


async def test_off_keeps_figures(tmp_path: Path) -> None:
    """In mode `off` no content is stored, and tokens and cost are."""
    async for _, http in serve(tmp_path / "data", capture="off"):
        await export(http, "a harmless question about marmots")
        found = (await http.get(f"/api/v1/traces/{TRACE}/spans/{ROOT}")).json()

    assert found["usage"]["input_tokens"] == 1000
    assert (found["input"], found["output"]) == (None, None)


async def test_the_manifest_decides_by_service(tmp_path: Path) -> None:
    """A service the manifest names has its own mode."""
    manifest = tmp_path / "watchkeeper.toml"
    manifest.write_text('[services.support-bot.capture]\ncontent = "full"\n')
    async for _, http in serve(tmp_path / "data", manifest=manifest):
        await export(http)

    assert MAIL.encode() in on_disk(tmp_path / "data")


async def test_what_was_masked_is_counted_on_the_span(tmp_path: Path) -> None:
    """The span says how many of each kind were masked, and an emitter cannot say it for itself."""
    async for _, http in serve(tmp_path / "data"):
        forged = {"note": f"write to {MAIL}", "watchkeeper.masked.iban": 9}
        body = request(span(attributes=forged)).SerializeToString()
        assert (await http.post("/v1/traces", content=body, headers=PROTOBUF)).status_code == 200
        found = (await http.get(f"/api/v1/traces/{TRACE}/spans/{ROOT}")).json()
        counts = {
            key: value for key, value in found["raw"]["attributes"].items() if key.startswith("watchkeeper.masked.")
        }

        trace = (await http.get("/api/v1/traces")).json()["items"][0]

    assert {key: int(value) for key, value in counts.items()} == {"watchkeeper.masked.email": 1}
    assert (found["masked"], trace["masked"]) == ({"email": 1}, 1)


async def test_a_resend_is_the_same(tmp_path: Path) -> None:
    """A masked span that is sent again is known for the same, and is not merged."""
    async for services, http in serve(tmp_path / "data"):
        body = request(span(attributes=chat(SAID), start=1_700_000_000 * 10**9, end=1_700_000_001 * 10**9))
        for _ in range(2):
            answer = await http.post("/v1/traces", content=body.SerializeToString(), headers=PROTOBUF)
            assert answer.status_code == 200
        page = (await http.get("/metrics")).text

        assert services.store.stats().spans == 1
        assert 'outcome="unchanged"' in page
        assert 'outcome="merged"' not in page


def test_a_failure_lets_nothing_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """When masking itself fails, the content is dropped and the span says so."""
    masker = Masker(Pseudonyms(b"x" * 32))

    def fail(*_: object, **__: object) -> bool:
        raise RuntimeError("broken")

    monkeypatch.setattr("watchkeeper.guard.lens.Lens.gather", fail)
    monkeypatch.setattr("watchkeeper.guard.lens.Lens.attributes", fail)
    raw, counts = masker.batch().span(
        RawSpan(trace_id=TRACE, span_id=ROOT, name=SAID, attributes={"a": SAID}), "masked"
    )
    record, _ = masker.batch().log(RawLog(trace_id=TRACE, span_id=ROOT, body=SAID, attributes={"a": SAID}), "masked")

    assert MAIL not in repr(raw)
    assert MAIL not in repr(record)
    assert counts == {"failed": 1}


def test_a_person_keeps_one_name() -> None:
    """The same address gets the same name here, and another in another installation."""
    here, there = Masker(Pseudonyms(b"x" * 32)), Masker(Pseudonyms(b"y" * 32))

    assert here.pseudonym(MAIL) == here.pseudonym(MAIL.upper())
    assert here.pseudonym(MAIL) != there.pseudonym(MAIL)
    assert here.pseudonym("user-42") is None
