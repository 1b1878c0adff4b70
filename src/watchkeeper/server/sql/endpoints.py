"""`/api/v1/query`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from watchkeeper.server.request import project, services
from watchkeeper.server.sql.schemas import QueryIn, QueryOut
from watchkeeper.server.sql.service import QueryService

__all__ = ["router"]

router = APIRouter(tags=["query"])


@router.post("/query")
def query(
    project: Annotated[str, Depends(project)],
    queries: Annotated[QueryService, Depends(services(lambda parts: parts.queries))],
    body: QueryIn,
) -> QueryOut:
    """Run one SELECT over `spans` and `scores` of the project (beta)."""
    return queries.run(project, body.sql, body.max_rows)
