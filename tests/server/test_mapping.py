"""`/api/v1/mapping/backfill`: what was stored is read by today's mapper, in steps, while ingest goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tarfile
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from tests.otlp import CHAT, request, span
from watchkeeper.ingest import MAPPER_VERSION
from watchkeeper.kit.settings import ServerSettings
from watchkeeper.model import Cost, RawSpan, Span
from watchkeeper.pricing import Pricer
from watchkeeper.server import Services, assemble, create_app
from watchkeeper.server.mapping.service import map_anew
from watchkeeper.store import codec
from watchkeeper.store.api import Selector, SpanFilter

TESTS = Path(__file__).parents[1]
FIXTURES = sorted((TESTS / "ingest" / "fixtures").glob("*.traces.pb"))
DATA = {"Content-Type": "application/x-protobuf"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder that an earlier release wrote, its spans read by an older mapper."""
    with tarfile.open(TESTS / "store" / "formats" / "2.tar.xz") as packed:
        packed.extractall(tmp_path)  # our own archive; Python 3.11.0 to 3.11.3 know no filter
    return tmp_path


@pytest.fixture
async def old(folder: Path) -> AsyncIterator[tuple[Services, httpx.AsyncClient]]:
    """A server on that folder."""
    built = assemble(ServerSettings(), folder)
    transport = httpx.ASGITransport(create_app(built), client=("127.0.0.1", 1234))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:7070") as client:
        yield built, client
    built.close()


async def backfill(http: httpx.AsyncClient, **wanted: Any) -> list[dict[str, Any]]:
    """Take every step."""
    steps: list[dict[str, Any]] = []
    cursor = None
    while True:
        answer = await http.post("/api/v1/mapping/backfill", json={**wanted, "cursor": cursor})
        assert answer.status_code == 200, answer.text
        steps.append(answer.json())
        cursor = steps[-1]["next_cursor"]
        if cursor is None:
            return steps


def every(services: Services) -> dict[str, Span]:
    """Return the default project's spans by their ids."""
    return {one.trace_id + one.span_id: one for one in services.store.scan_spans("default", SpanFilter())}


def raws(spans: dict[str, Span]) -> dict[str, tuple[str, str, str]]:
    """Return what is raw of each, as the texts that are stored: a double that is no number equals itself."""
    return {
        key: (
            codec.encode_attributes(one.raw.attributes),
            codec.encode_attributes(one.raw.resource),
            codec.encode_raw_rest(one.raw),
        )
        for key, one in spans.items()
    }


@pytest.mark.parametrize(
    "body", [{"since": "yesterday"}, {"limit": 0}, {"limit": 10_000}, {"cursor": "nonsense"}, {"al": True}]
)
async def test_a_malformed_question_is_refused(http: httpx.AsyncClient, body: dict[str, Any]) -> None:
    """A bad time, size, cursor or field is refused with 400 or 422."""
    answer = await http.post("/api/v1/mapping/backfill", json=body)

    assert answer.status_code in {400, 422}


async def test_it_needs_an_admin(remote: httpx.AsyncClient) -> None:
    """Without a key nobody from elsewhere maps anything."""
    answer = await remote.post("/api/v1/mapping/backfill", json={})

    assert answer.status_code == 401


async def test_an_older_folder_is_read_by_todays_mapper(old: tuple[Services, httpx.AsyncClient]) -> None:
    """What an older mapper read worse is read as today, raw data and receipt as before, and a second run finds none."""
    services, http = old
    await backfill(http)
    before = every(services)
    services.store.remap("default", SpanFilter(), _worse, limit=1_000)
    tried = await backfill(http, dry_run=True, limit=10)
    steps = await backfill(http, limit=10)
    after = every(services)
    worse = [one for one in before.values() if one.kind != "span"]

    assert raws(after) == raws(before)
    assert _derived(after) == _derived(before)
    assert (steps[0]["total"], sum(one["spans"] for one in steps)) == (len(before), len(before))
    assert [one["fields"] for one in tried] == [one["fields"] for one in steps]
    assert sum(one["fields"].get("kind", 0) for one in steps) == len(worse) > 0
    assert [one["spans"] for one in await backfill(http)] == [0]


def _worse(span_: Span) -> Span:
    return msgspec.structs.replace(span_, kind="span", input=None, session_id=None, provider=None, mapper=1)


def _derived(spans: dict[str, Span]) -> list[tuple[Span, int | None]]:
    """Return what is derived, of a cost only its amount, without what a trace passes on a moment later."""
    bare = RawSpan(trace_id="", span_id="")
    facts: dict[str, Any] = {"session_id": None, "user_id": None, "tags": (), "release": None}
    return [
        (
            msgspec.structs.replace(one, mapper=MAPPER_VERSION, raw=bare, cost=None, **facts),
            one.cost.nano_usd if one.cost is not None else None,
        )
        for one in spans.values()
    ]


async def test_ingest_goes_on_between_steps(old: tuple[Services, httpx.AsyncClient]) -> None:
    """What is sent between two steps is stored, an amended span is merged, and an erased person is gone after the last."""
    services, http = old
    known = len(every(services))
    first = (await http.post("/api/v1/mapping/backfill", json={"limit": 5})).json()
    sent = request(span(span_id="f" * 16, trace_id="e" * 32), span(span_id="e" * 16, trace_id="e" * 32))
    assert (await http.post("/v1/traces", content=sent.SerializeToString(), headers=DATA)).status_code == 200
    gone = services.store.erase("default", Selector(users=("user-1",))).spans
    steps = await backfill(http, limit=5)
    found = every(services)

    assert gone > 0
    assert first["spans"] == 5
    assert sum(one["missed"] for one in steps) == 0
    assert len(found) == known + 2 - gone
    assert {one.mapper for one in found.values()} == {MAPPER_VERSION}


async def test_what_came_today_is_read_alike(services: Services, http: httpx.AsyncClient) -> None:
    """Every recorded client's spans, stored and mapped anew, are what they were: nothing is read, priced or masked twice."""
    for path in FIXTURES:
        answer = await http.post("/v1/traces", content=path.read_bytes(), headers=DATA)
        assert answer.status_code == 200, path.name
    before = every(services)
    (step,) = await backfill(http, all=True, limit=1_000)

    assert (step["spans"], step["fields"], step["changed"], step["missed"]) == (len(before), {}, 0, 0)
    assert every(services) == before


def test_a_kill_in_the_middle_loses_nothing(folder: Path) -> None:
    """A server killed while it maps has every span once, old or new, and another run goes on with those that are left."""
    first = assemble(ServerSettings(), folder)
    before = every(first)
    first.close()
    words = ["-m", "watchkeeper.cli", "serve", "--port", "0", "--grpc-port", "0", "--data-dir", str(folder)]
    environ = {**os.environ, "NO_COLOR": "1"}
    with subprocess.Popen([sys.executable, *words], stderr=subprocess.PIPE, text=True, env=environ) as child:
        assert child.stderr is not None
        url = next(line.split()[-1] for line in child.stderr if "dashboard" in line)
        _ask(url, {"limit": 7})
        _ask(url, {"limit": 7})
        child.send_signal(signal.SIGKILL)
        child.wait(30)
    services = assemble(ServerSettings(), folder)
    between = every(services)
    left = services.store.count_spans("default", SpanFilter(mapper_before=MAPPER_VERSION))
    again = services.store.remap(
        "default", SpanFilter(mapper_before=MAPPER_VERSION), lambda one: map_anew(one, Pricer())
    )
    services.close()

    assert raws(between) == raws(before)
    assert left == len(before) - 14
    assert again.spans == left


def _ask(url: str, body: dict[str, Any]) -> dict[str, Any]:
    asked = urllib.request.Request(
        f"{url}/api/v1/mapping/backfill", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(asked, timeout=30) as answer:
        return dict(json.loads(answer.read()))


def _stored(**fields: Any) -> Span:
    raw = RawSpan(trace_id="1" * 32, span_id="2" * 16, attributes={**CHAT, **fields}, resource={"service.name": "bot"})
    return map_anew(Span(project="p", trace_id=raw.trace_id, span_id=raw.span_id, service="bot", raw=raw), Pricer())


def test_a_cost_stands_while_nothing_it_depends_on_changes() -> None:
    """A price of its day is not exchanged for today's; with other tokens it is worked out anew."""
    old = Cost(state="computed", nano=7, nano_usd=7, source="a table of then")
    span_ = msgspec.structs.replace(_stored(), cost=old, mapper=1, tool_name="read otherwise then")
    fewer = msgspec.structs.replace(span_, usage=msgspec.structs.replace(span_.usage, output_tokens=None))

    assert map_anew(span_, Pricer()).cost == old
    assert map_anew(fewer, Pricer()).cost == _stored().cost != old


def test_what_the_client_said_it_cost_is_read_again() -> None:
    """A cost of the emitter that an older mapper did not read takes the computed one's place."""
    said = _stored(**{"operation.cost": 0.5}).cost
    old = msgspec.structs.replace(_stored(**{"operation.cost": 0.5}), cost=_stored().cost)
    found = map_anew(old, Pricer()).cost

    assert found == said
    assert found is not None
    assert found.state == "provided"


def test_the_service_stays() -> None:
    """What decided whether content was kept is not read anew."""
    kept = msgspec.structs.replace(_stored(), service="named otherwise then")

    assert map_anew(kept, Pricer()).service == "named otherwise then"
