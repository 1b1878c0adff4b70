"""On-premises models by the hour: shared once the hour is over, among all that ran, and the rest is idle."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.otlp import request, span
from watchkeeper.kit.errors import ConfigError
from watchkeeper.kit.settings import ServerSettings
from watchkeeper.model import Span
from watchkeeper.pricing import HOUR
from watchkeeper.server import Services, assemble, create_app
from watchkeeper.store.api import SpanFilter

TEN = int(datetime(2026, 11, 20, 10, tzinfo=UTC).timestamp()) * 10**9
MINUTE = HOUR // 60
DAY = {"since": "2026-11-20T00:00:00Z", "until": "2026-11-21T00:00:00Z"}
PRICES = """
[[on_prem]]
name = "gpu"
models = ["house-*"]
replicas = 2
hourly = "3.20"
currency = "USD"
from = 2026-11-01
"""


class Hands:
    """A clock that stands until it is moved."""

    now = TEN + HOUR // 2

    def now_ns(self) -> int:
        return self.now


@dataclass
class House:
    """A server with a machine of its own."""

    services: Services
    http: httpx.AsyncClient
    clock: Hands
    prices: Path

    async def call(
        self,
        number: int,
        minute: float,
        takes: float,
        told: dict[str, Any] | None = None,
        *,
        headers: dict[str, str] | None = None,
    ) -> None:
        """Store a call of a thousand tokens in and out that began at a minute after ten."""
        attributes = {
            "gen_ai.operation.name": "chat", "gen_ai.request.model": "house-7b", "gen_ai.usage.input_tokens": 1_000,
            "gen_ai.usage.output_tokens": 1_000, **(told or {}),
        }  # fmt: skip
        start = TEN + round(minute * MINUTE)
        one = span(
            trace_id=f"{number:032x}", span_id=f"{number:016x}", attributes=attributes, start=start,
            end=start + round(takes * MINUTE),
        )  # fmt: skip
        answer = await self.http.post(
            "/v1/traces",
            content=request(one).SerializeToString(),
            headers={"Content-Type": "application/x-protobuf", **(headers or {})},
        )
        assert answer.status_code == 200, answer.text

    async def hours(self, headers: dict[str, str] | None = None, **params: str) -> dict[str, Any]:
        """Ask for the hours of the day."""
        answer = await self.http.get("/api/v1/prices/hours", params=params or DAY, headers=headers)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def stored(self, project: str = "default") -> list[Span]:
        """Return the calls of a project."""
        return list(self.services.store.priced_spans(project, SpanFilter()).items)

    def other(self) -> dict[str, str]:
        """Return the headers of another project's key."""
        self.services.control.ensure_project("other")
        pair = self.services.control.keys.create("other", ("ingest", "read"))
        return {"Authorization": f"Bearer {pair.secret}"}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Half past ten, two replicas at 3.20."""
    clock = Hands()
    path = tmp_path / "prices.toml"
    path.write_text(PRICES)
    built = assemble(ServerSettings(prices=path), tmp_path / "data", clock)
    transport = httpx.ASGITransport(create_app(built), client=("127.0.0.1", 1234))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:7070") as client:
        yield House(built, client, clock, path)
    built.close()


@pytest.mark.parametrize(
    "params", [{"since": "soon"}, {"since": "2026-11-20T00:00:00Z", "until": "2026-11-19T00:00:00Z"},
               {"since": "2026-01-01T00:00:00Z", "until": "2026-11-19T00:00:00Z"}]
)  # fmt: skip
async def test_a_window_must_be_one(house: House, params: dict[str, str]) -> None:
    """No time, an empty window, and one beyond 31 days are refused with 400."""
    assert (await house.http.get("/api/v1/prices/hours", params=params)).status_code == 400


async def test_an_empty_store_has_no_hours(house: House) -> None:
    """Before the first call is stored no idle hours are made up, and the overview has no idle line."""
    house.clock.now = TEN + 5 * HOUR

    assert (await house.hours())["hours"] == []
    assert (await house.http.get("/api/v1/overview", params=DAY)).json()["idle_nano_usd"] == "0"


async def test_an_hour_that_runs_is_not_shared(house: House) -> None:
    """While the hour lasts its calls have no price and it is not listed."""
    await house.call(1, 0, 6)
    house.services.hours.look()

    assert [one.cost.state for one in house.stored() if one.cost] == ["unpriced"]
    assert (await house.hours())["hours"] == []


async def test_the_keeper_shares_an_hour_a_little_after_its_end(house: House) -> None:
    """Five minutes after its end an hour is shared: busy time among the calls by tokens, and the rest is idle."""
    await house.call(1, 0, 6)
    await house.call(2, 30, 6, {"gen_ai.usage.output_tokens": 0})
    house.clock.now = TEN + HOUR + 4 * MINUTE
    house.services.hours.look()
    assert [one.cost.nano for one in house.stored() if one.cost] == [None, None]
    house.clock.now = TEN + HOUR + 5 * MINUTE
    house.services.hours.look()
    costs = [one.cost.nano or 0 for one in house.stored() if one.cost]
    (hour,) = (await house.hours())["hours"]

    # Two calls of six minutes on one replica each: 12 of 120 replica minutes of 6.40, five sixths of it the first's.
    assert costs == [533_333_333, 106_666_667]
    assert (hour["cost_nano"], hour["own_nano"], hour["idle_nano"]) == ("6400000000", "640000000", "5760000000")
    assert (hour["start"][:16], hour["pool"], hour["replicas"], hour["calls"], hour["unpriced"]) == (
        "2026-11-20T10:00", "gpu", 2, 2, 0,
    )  # fmt: skip


async def test_idle_stands_beside_the_cost(house: House) -> None:
    """The overview's cost is the calls' own; idle is its own figure, and not asked for with a service."""
    await house.call(1, 0, 60)
    house.clock.now = TEN + 2 * HOUR + 5 * MINUTE
    house.services.hours.look()
    whole = (await house.http.get("/api/v1/overview", params=DAY)).json()
    one = (await house.http.get("/api/v1/overview", params={**DAY, "service": "support-bot"})).json()

    assert (whole["cost_nano_usd"], whole["idle_nano_usd"]) == ("3200000000", str(3_200_000_000 + 6_400_000_000))
    assert (one["cost_nano_usd"], one["idle_nano_usd"]) == ("3200000000", None)


async def test_projects_share_a_machine_and_see_their_own_part(house: House) -> None:
    """The hour is shared among every project's calls; a key sees its own share, and neither the others' nor idle."""
    other = house.other()
    await house.call(1, 0, 60)
    await house.call(2, 0, 60, headers=other)
    house.clock.now = TEN + HOUR + 5 * MINUTE
    house.services.hours.look()
    mine, theirs = await house.hours(), await house.hours(other)

    assert [(one["own_nano"], one["others_nano"], one["idle_nano"]) for one in mine["hours"]] == [
        ("3200000000", "3200000000", "0")
    ]
    assert [(one["own_nano"], one["others_nano"], one["cost_nano"], one["calls"]) for one in theirs["hours"]] == [
        ("3200000000", None, None, None)
    ]
    assert (theirs["whole"], theirs["idle_nano_usd"]) == (False, None)
    assert (await house.http.get("/api/v1/overview", params=DAY, headers=other)).json()["idle_nano_usd"] is None


async def test_where_the_price_file_lies_is_for_who_runs_the_server(house: House) -> None:
    """A project's key is told neither the price file's place nor its error, nor the machines by name in the status."""
    other = house.other()
    house.prices.write_text("[[on_prem]]\n")
    with pytest.raises(ConfigError):
        house.services.prices.pricer.reload()
    mine = (await house.http.get("/api/v1/prices/check")).json()["ages"]
    theirs = (await house.http.get("/api/v1/prices/check", headers=other)).json()["ages"]
    status = (await house.http.get("/api/v1/status", headers=other)).json()["prices"]

    assert mine["overrides"] == str(house.prices)
    assert (theirs["overrides"], theirs["error"]) == (None, None)
    assert not {"error", "on_premises"} & set(status)


async def test_a_late_call_is_shared_by_a_backfill_and_a_day_later(house: House) -> None:
    """A call that comes after the sharing takes its part when prices are backfilled; doing it again changes nothing."""
    await house.call(1, 0, 60)
    house.clock.now = TEN + HOUR + 5 * MINUTE
    house.services.hours.look()
    await house.call(2, 0, 60)
    first = (await house.hours())["hours"][0]
    changed = [await backfill(house) for _ in range(2)]
    after = (await house.hours())["hours"][0]

    assert (first["unpriced"], first["own_nano"], first["idle_nano"]) == (1, "3200000000", "3200000000")
    assert changed == [(1, 3_200_000_000), (0, 0)]
    assert (after["unpriced"], after["own_nano"], after["idle_nano"]) == (0, "6400000000", "0")

    await house.call(3, 0, 60)
    house.clock.now += 24 * HOUR
    house.services.hours.look()

    assert (await house.hours())["hours"][0]["unpriced"] == 0


async def test_a_machine_that_is_told_later_takes_its_calls_back(house: House) -> None:
    """Calls stored before the machine stood in the price file are shared by a backfill; taken out, they lose it."""
    house.prices.write_text("")
    house.services.prices.pricer.reload()
    await house.call(1, 0, 60)
    house.prices.write_text(PRICES)
    house.services.prices.pricer.reload()
    house.clock.now = TEN + HOUR
    await backfill(house)
    shared = [one.cost.nano for one in house.stored() if one.cost]
    house.prices.write_text("")
    house.services.prices.pricer.reload()
    await backfill(house)

    assert shared == [3_200_000_000]
    assert [one.cost.state for one in house.stored() if one.cost] == ["unpriced"]


async def test_what_cannot_be_shared_is_not_made_up(house: House) -> None:
    """A call without tokens stays unpriced, and one whose client said its cost keeps it and takes no share."""
    await house.call(1, 0, 60, {"gen_ai.usage.input_tokens": "?", "gen_ai.usage.output_tokens": "?"})
    await house.call(2, 0, 60, {"operation.cost": 0.25})
    await house.call(3, 0, 60)
    house.clock.now = TEN + HOUR + 5 * MINUTE
    house.services.hours.look()
    costs = {one.trace_id[-1]: one.cost for one in house.stored()}
    (hour,) = (await house.hours())["hours"]

    assert {key: (one.state, one.nano) for key, one in costs.items() if one} == {
        "1": ("unpriced", None), "2": ("provided", 250_000_000), "3": ("computed", 6_400_000_000),
    }  # fmt: skip
    assert (hour["own_nano"], hour["idle_nano"]) == ("6400000000", "0")


async def test_a_day_adds_up_to_the_cent(house: House) -> None:
    """Over many calls and hours the spans' costs and the idle lines are what the machines cost, exactly."""
    for number in range(1, 60):
        await house.call(
            number, number * 7.3, (number * 37) % 50, {"gen_ai.usage.output_tokens": (number * 7_919) % 4_001}
        )
    house.clock.now = TEN + 9 * HOUR
    while await backfill(house, limit=10) != (0, 0):
        pass
    spent = sum(Decimal(one.cost.nano or 0) for one in house.stored() if one.cost) / 10**9
    told = await house.hours()
    idle = sum(Decimal(one["idle_nano"]) for one in told["hours"]) / 10**9

    assert len(told["hours"]) == 9
    assert Decimal(spent) + Decimal(idle) == 9 * 2 * Decimal("3.20")
    assert told["own_nano_usd"] == str(int(spent * 10**9))


async def backfill(house: House, **wanted: Any) -> tuple[int, int]:
    """Take every step; return how many calls changed and by how many nano-USD."""
    cursor, changed, more = None, 0, 0
    while True:
        answer = await house.http.post("/api/v1/prices/backfill", json={**wanted, "cursor": cursor})
        assert answer.status_code == 200, answer.text
        step = answer.json()
        changed += step["changed"]
        more += int(step["after_nano_usd"]) - int(step["before_nano_usd"])
        cursor = step["next_cursor"]
        if cursor is None:
            return changed, more
