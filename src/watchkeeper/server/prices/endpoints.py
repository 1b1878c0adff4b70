"""`/api/v1/prices/...`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from watchkeeper.server.gate import Caller
from watchkeeper.server.prices.schemas import BackfillIn, BackfillOut, CheckOut, HoursOut, PricedOut
from watchkeeper.server.prices.service import PriceService
from watchkeeper.server.request import TimeText, caller, nanoseconds, project, services

__all__ = ["router"]

router = APIRouter(tags=["prices"])

Project = Annotated[str, Depends(project)]
Prices = Annotated[PriceService, Depends(services(lambda parts: parts.prices))]


Text = Annotated[str | None, Query(max_length=500)]


@router.get("/prices")
def show(
    prices: Prices,
    model: Annotated[str, Query(min_length=1, max_length=500)],
    provider: Text = None,
    at: TimeText = None,
    host: Text = None,
    region: Text = None,
) -> PricedOut:
    """Return how a model's calls are priced at a time (now by default), and what a second table says (beta)."""
    return prices.show(model, provider, nanoseconds("at", at), host, region)


@router.get("/prices/check")
def check(
    project: Project,
    who: Annotated[Caller, Depends(caller)],
    prices: Prices,
    since: TimeText = None,
    until: TimeText = None,
) -> CheckOut:
    """Return how the models that were called are priced, where tables differ, and how old they are (beta)."""
    return prices.check(project, nanoseconds("since", since), nanoseconds("until", until), whole=who.is_owner)


@router.post("/prices/backfill")
def backfill(project: Project, prices: Prices, wanted: BackfillIn) -> BackfillOut:
    """Price stored calls anew with today's tables and your own prices, a bounded number at a time (beta)."""
    return prices.backfill(project, wanted)


@router.get("/prices/hours")
def hours(
    project: Project,
    who: Annotated[Caller, Depends(caller)],
    prices: Prices,
    since: TimeText = None,
    until: TimeText = None,
) -> HoursOut:
    """Return what on-premises models cost by the hour, shared and idle (the last day by default; beta)."""
    return prices.show_hours(project, nanoseconds("since", since), nanoseconds("until", until), whole=who.is_owner)
