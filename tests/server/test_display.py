"""The currency that amounts are shown in: dollars are stored, and the day of the rate is said."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.otlp import ROOT, TRACE, request, span
from watchkeeper.kit.errors import ConfigError
from watchkeeper.kit.settings import ServerSettings
from watchkeeper.server import assemble, create_app

THEN = int(datetime(2026, 10, 30, 12, tzinfo=UTC).timestamp()) * 10**9
EUR = '[[rate]]\ncurrency = "EUR"\nfrom = 2026-01-01\nusd = "1.25"\n'


class Hands:
    """A clock that stands."""

    now = THEN

    def now_ns(self) -> int:
        return self.now


@asynccontextmanager
async def server(folder: Path, **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    """Run a server in October 2026 with one call stored, of 0.42 thousandths of a dollar."""
    built = assemble(ServerSettings(**settings), folder / "data", Hands())
    transport = httpx.ASGITransport(create_app(built), client=("127.0.0.1", 1234))
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:7070") as client:
            body = request(span(start=THEN - 10**9, end=THEN)).SerializeToString()
            await client.post("/v1/traces", content=body, headers={"Content-Type": "application/x-protobuf"})
            yield client
    finally:
        built.close()


@pytest.mark.parametrize("currency", ["EURO", "eur", "€"])
def test_a_currency_must_be_one(tmp_path: Path, currency: str) -> None:
    """What is no code of three capital letters is refused at the start."""
    with pytest.raises(ConfigError, match="WATCHKEEPER_CURRENCY"):
        assemble(ServerSettings(currency=currency), None)


async def test_dollars_are_shown_where_nothing_is_said(tmp_path: Path) -> None:
    """Without a setting amounts are dollars, and no day of a rate is named."""
    async with server(tmp_path) as http:
        told = (await http.get("/api/v1/status")).json()["display"]
        found = (await http.get("/api/v1/overview")).json()

    assert (told["currency"], told["per_usd"], told["rate_day"], told["missing"]) == ("USD", "1", None, None)
    assert found["cost_shown"] == {"nano": found["cost_nano_usd"], "currency": "USD", "rate_day": None}


async def test_without_a_rate_dollars_are_shown_and_it_is_said(tmp_path: Path) -> None:
    """A currency that nobody has a rate of leaves dollars, with the reason, and nothing fails."""
    async with server(tmp_path, currency="XTS") as http:
        told = (await http.get("/api/v1/status")).json()["display"]
        found = (await http.get("/api/v1/overview")).json()

    assert told["currency"] == "USD"
    assert "XTS" in told["missing"]
    assert found["cost_shown"]["nano"] == found["cost_nano_usd"]


async def test_amounts_are_shown_by_the_dated_rate(tmp_path: Path) -> None:
    """Overview and span show the currency that was asked for, by the rate of their day, beside the dollars stored."""
    prices = tmp_path / "prices.toml"
    prices.write_text(EUR)
    async with server(tmp_path, currency="EUR", prices=prices) as http:
        found = (await http.get("/api/v1/overview")).json()
        cost = (await http.get(f"/api/v1/traces/{TRACE}/spans/{ROOT}")).json()["cost"]
        told = (await http.get("/api/v1/status")).json()["display"]

    assert (found["cost_nano_usd"], found["cost_shown"]["nano"]) == ("420000", "336000")
    assert cost["shown"] == {"nano": "336000", "currency": "EUR", "rate_day": "2026-01-01"}
    assert (told["per_usd"], told["rate_source"]) == ("0.8", "your price file")


async def test_the_ecbs_rate_is_named_with_its_day(tmp_path: Path) -> None:
    """With the shipped reference rates the day and the bank are told."""
    async with server(tmp_path, currency="CHF") as http:
        told = (await http.get("/api/v1/status")).json()["display"]

    assert (told["currency"], told["rate_day"], told["rate_source"]) == ("CHF", "2026-10-30", "ECB")
    assert 0.5 < float(told["per_usd"]) < 1.5


async def test_the_manifest_says_it_and_the_setting_wins(tmp_path: Path) -> None:
    """The manifest's `currency` is shown; WATCHKEEPER_CURRENCY goes before it."""
    manifest = tmp_path / "watchkeeper.toml"
    manifest.write_text('currency = "EUR"\n')
    async with server(tmp_path, manifest=manifest) as http:
        by_file = (await http.get("/api/v1/status")).json()
    async with server(tmp_path, manifest=manifest, currency="CHF") as http:
        by_setting = (await http.get("/api/v1/status")).json()["display"]

    assert (by_file["display"]["currency"], by_file["manifest"]["unused"]) == ("EUR", [])
    assert by_setting["currency"] == "CHF"


async def test_prices_can_be_asked_for_and_checked(tmp_path: Path) -> None:
    """The price of a model, and the verdict on those that were called, come from the tables in force."""
    async with server(tmp_path) as http:
        price = (await http.get("/api/v1/prices", params={"model": "gpt-4o-mini", "provider": "openai"})).json()
        check = (await http.get("/api/v1/prices/check")).json()
        wrong = await http.get("/api/v1/prices", params={"model": "x", "at": "soon"})
        empty = await http.get("/api/v1/prices/check", params={"since": "2027-01-01T00:00:00Z"})

    assert (price["verdict"], price["prices"][0]["price"]) == ("agreed", "0.15")
    assert [(one["priced"]["model"], one["calls"], one["unpriced"]) for one in check["models"]] == [
        ("gpt-4o-mini-2024-07-18", 1, 0)
    ]
    assert (wrong.status_code, empty.status_code) == (400, 400)
