"""`/api/v1/overview` and `/api/v1/facets`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from watchkeeper.server.gate import Caller
from watchkeeper.server.overview.schemas import FacetsOut, OverviewOut
from watchkeeper.server.overview.service import OverviewService
from watchkeeper.server.request import TimeText, caller, nanoseconds, project, services

__all__ = ["router"]

router = APIRouter(tags=["overview"])

Project = Annotated[str, Depends(project)]
Figures = Annotated[OverviewService, Depends(services(lambda parts: parts.overview))]


@router.get("/overview")
def overview(
    project: Project,
    who: Annotated[Caller, Depends(caller)],
    figures: Figures,
    since: TimeText = None,
    until: TimeText = None,
    service: Annotated[str | None, Query(max_length=500)] = None,
    buckets: Annotated[int, Query(ge=1, le=500)] = 60,
) -> OverviewOut:
    """Return requests, latency, tokens and cost of the model calls in a window (the last day by default)."""
    start, end = nanoseconds("since", since), nanoseconds("until", until)
    return figures.overview(project, start, end, service, buckets, whole=who.is_owner)


@router.get("/facets")
def facets(project: Project, figures: Figures, since: TimeText = None, until: TimeText = None) -> FacetsOut:
    """Return the services, environments, models and users seen in a window (the last day by default)."""
    return figures.facets(project, nanoseconds("since", since), nanoseconds("until", until))
