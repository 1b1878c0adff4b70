"""`/api/v1/scores`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from watchkeeper.server.request import LIMIT, project, services
from watchkeeper.server.scores.schemas import ScoreIn, ScorePage, ScoreReceipt
from watchkeeper.server.scores.service import ScoreService

__all__ = ["router"]

router = APIRouter(tags=["scores"])

Project = Annotated[str, Depends(project)]
Scores = Annotated[ScoreService, Depends(services(lambda parts: parts.scores))]


@router.post("/scores", status_code=201)
async def add_score(project: Project, scores: Scores, score: ScoreIn) -> ScoreReceipt:
    """Store a judgement about a trace, a span or a session; 201 means it is durable."""
    return ScoreReceipt(id=await scores.add(project, score))


@router.get("/scores")
def list_scores(
    project: Project,
    scores: Scores,
    trace_id: Annotated[str | None, Query(pattern="^[0-9a-f]{32}$")] = None,
    span_id: Annotated[str | None, Query(pattern="^[0-9a-f]{16}$")] = None,
    name: Annotated[str | None, Query(max_length=500)] = None,
    limit: Annotated[int, Query(ge=1, le=LIMIT)] = 100,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
) -> ScorePage:
    """List scores, newest first."""
    return scores.list_scores(project, trace_id, span_id, name, limit, cursor)
