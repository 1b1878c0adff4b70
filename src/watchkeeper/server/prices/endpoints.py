"""`/api/v1/prices/...`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from watchkeeper.server.prices.schemas import BackfillIn, BackfillOut
from watchkeeper.server.prices.service import PriceService
from watchkeeper.server.request import project, services

__all__ = ["router"]

router = APIRouter(tags=["prices"])

Project = Annotated[str, Depends(project)]
Prices = Annotated[PriceService, Depends(services(lambda parts: parts.prices))]


@router.post("/prices/backfill")
def backfill(project: Project, prices: Prices, wanted: BackfillIn) -> BackfillOut:
    """Price stored calls anew with today's tables and your own prices, a bounded number at a time (beta)."""
    return prices.backfill(project, wanted)
