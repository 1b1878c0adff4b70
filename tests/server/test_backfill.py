"""`/api/v1/prices/backfill`: what was stored is priced by what is known today, in steps, and nothing else moves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from tests.otlp import request, span
from watchkeeper.kit.settings import ServerSettings
from watchkeeper.model import Cost
from watchkeeper.server import Services, assemble, create_app
from watchkeeper.store.api import SpanFilter, WriteBatch

OWN = """
[[price]]
model = "house-model"
from = 2026-01-01
input = "{price}"
output = "0"
source = "contract"
"""
DATA = {"Content-Type": "application/x-protobuf"}


@pytest.fixture
async def priced(tmp_path: Path) -> AsyncIterator[tuple[Services, httpx.AsyncClient, Path]]:
    """A server with a price file that knows no model yet."""
    path = tmp_path / "prices.toml"
    path.write_text("")
    built = assemble(ServerSettings(prices=path), tmp_path / "data")
    transport = httpx.ASGITransport(create_app(built), client=("127.0.0.1", 1234))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:7070") as client:
        yield built, client, path
    built.close()


def call(number: int, **more: Any) -> dict[str, Any]:
    """A call of the house's own model with a thousand tokens in."""
    told = {
        "gen_ai.operation.name": "chat", "gen_ai.request.model": "house-model", "gen_ai.usage.input_tokens": 1_000,
        **more,
    }  # fmt: skip
    return span(span_id=f"{number:016x}", trace_id=f"{number:032x}", attributes=told)


async def send(http: httpx.AsyncClient, *spans: dict[str, Any], service: str = "support-bot") -> None:
    """Store spans."""
    answer = await http.post("/v1/traces", content=request(*spans, service=service).SerializeToString(), headers=DATA)
    assert answer.status_code == 200


async def backfill(http: httpx.AsyncClient, **wanted: Any) -> list[dict[str, Any]]:
    """Take every step."""
    steps: list[dict[str, Any]] = []
    cursor = None
    while True:
        answer = await http.post("/api/v1/prices/backfill", json={**wanted, "cursor": cursor})
        assert answer.status_code == 200, answer.text
        steps.append(answer.json())
        cursor = steps[-1]["next_cursor"]
        if cursor is None:
            return steps


def tell(built: Services, path: Path, price: str) -> None:
    """Write the price into the file and let the server see it."""
    path.write_text(OWN.format(price=price))
    built.prices.pricer.reload()


@pytest.mark.parametrize(
    "body", [{"since": "yesterday"}, {"limit": 0}, {"limit": 10_000}, {"cursor": "nonsense"}, {"sevice": "x"}]
)
async def test_a_malformed_question_is_refused(
    priced: tuple[Services, httpx.AsyncClient, Path], body: dict[str, Any]
) -> None:
    """A bad time, size, cursor or field is refused with 400 or 422, and nothing is priced."""
    answer = await priced[1].post("/api/v1/prices/backfill", json=body)

    assert answer.status_code in {400, 422}


async def test_a_price_that_is_learnt_later_reaches_back(priced: tuple[Services, httpx.AsyncClient, Path]) -> None:
    """Calls that had no price get one, the totals before and after say so, and a second run changes nothing."""
    built, http, path = priced
    await send(http, *(call(number) for number in range(1, 6)))
    tell(built, path, "2.00")
    steps = await backfill(http, limit=2)
    again = await backfill(http)

    assert [(step["calls"], step["changed"]) for step in steps] == [(2, 2), (2, 2), (1, 1)]
    assert [step["total"] for step in steps] == [5, None, None]
    assert (sum(int(one["before_nano_usd"]) for one in steps), sum(int(one["after_nano_usd"]) for one in steps)) == (
        0, 10_000_000,
    )  # fmt: skip
    assert [(step["calls"], step["changed"], step["after_nano_usd"]) for step in again] == [(5, 0, "10000000")]
    assert (await http.get("/api/v1/overview")).json()["cost_nano_usd"] == "10000000"


async def test_a_dry_run_writes_nothing(priced: tuple[Services, httpx.AsyncClient, Path]) -> None:
    """With `dry_run` the answer is the same and the costs stay."""
    built, http, path = priced
    await send(http, call(1))
    tell(built, path, "2.00")
    (step,) = await backfill(http, dry_run=True)

    assert (step["changed"], step["after_nano_usd"]) == (1, "2000000")
    assert (await http.get("/api/v1/overview")).json()["unpriced"] == 1


async def test_what_the_client_said_stands_unless_asked(priced: tuple[Services, httpx.AsyncClient, Path]) -> None:
    """A cost the client reported is left and counted; with `provided` it is replaced too."""
    built, http, path = priced
    await send(http, call(1, **{"operation.cost": 0.5}))
    tell(built, path, "2.00")
    (left,) = await backfill(http)
    (asked,) = await backfill(http, provided=True)

    assert (left["changed"], left["provided"], left["after_nano_usd"]) == (0, 1, "500000000")
    assert (asked["changed"], asked["provided"], asked["after_nano_usd"]) == (1, 0, "2000000")


@pytest.mark.parametrize(
    "wanted", [{"service": "other"}, {"model": "house-model-2"}, {"until": "2026-01-01T00:00:00Z"}]
)
async def test_only_what_is_asked_for_is_priced(
    priced: tuple[Services, httpx.AsyncClient, Path], wanted: dict[str, Any]
) -> None:
    """A filter on service, model or time leaves the rest as it is, and out of the count."""
    built, http, path = priced
    await send(http, call(1))
    tell(built, path, "2.00")
    (step,) = await backfill(http, **wanted)

    assert (step["calls"], step["changed"], step["total"]) == (0, 0, 0)


async def test_your_own_price_goes_with_its_entry_and_a_tables_price_stays(
    priced: tuple[Services, httpx.AsyncClient, Path],
) -> None:
    """A price you took back is gone; one from a packaged table that no longer knows the model is kept and counted."""
    built, http, path = priced
    tell(built, path, "2.00")
    await send(http, call(1), call(2))
    first, _ = built.store.priced_spans("default", SpanFilter()).items
    gone = Cost(state="computed", nano=7, nano_usd=7, source="genai-prices", reason="single: x")
    built.store.submit(
        WriteBatch(spans=(msgspec.structs.replace(first, trace_id="f" * 32, cost=gone, raw=msgspec.structs.replace(
            first.raw, trace_id="f" * 32)),))
    ).result(10)  # fmt: skip
    path.write_text("")
    built.prices.pricer.reload()
    (step,) = await backfill(http)

    assert (step["calls"], step["changed"], step["kept"], step["after_nano_usd"]) == (3, 2, 1, "7")


async def test_another_projects_calls_are_not_touched(priced: tuple[Services, httpx.AsyncClient, Path]) -> None:
    """The key's project alone is priced anew."""
    built, http, path = priced
    await send(http, call(1))
    (mine,) = built.store.priced_spans("default", SpanFilter()).items
    built.store.submit(WriteBatch(spans=(msgspec.structs.replace(mine, project="other"),))).result(10)
    tell(built, path, "2.00")
    await backfill(http)
    (theirs,) = built.store.priced_spans("other", SpanFilter()).items

    assert theirs.cost is not None
    assert theirs.cost.state == "unpriced"
