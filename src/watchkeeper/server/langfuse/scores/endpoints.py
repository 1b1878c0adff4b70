"""`POST /api/public/scores`: one score from people's own calls, a list of them from SDK 5."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Response

from watchkeeper.kit.errors import RequestError
from watchkeeper.server.langfuse.scores.schemas import Accepted, Created, Partly, Refusal
from watchkeeper.server.langfuse.scores.service import score_of
from watchkeeper.server.request import project, services
from watchkeeper.server.scores.schemas import ScoreIn
from watchkeeper.server.scores.service import ScoreService

__all__ = ["router"]

router = APIRouter()
_MOST = 1_000


@router.post("/scores", response_model=None)
async def add_scores(
    given: Annotated[dict[str, Any] | list[Any], Body()],
    response: Response,
    project_id: Annotated[str, Depends(project)],
    scores: Annotated[ScoreService, Depends(services(lambda parts: parts.scores))],
) -> Created | Accepted | Partly:
    """Store them, durably, and say what became of them."""
    if not isinstance(given, list):
        return Created(id=await scores.add(project_id, score_of(given)))
    if len(given) > _MOST:
        raise RequestError(f"a list of scores has at most {_MOST}")
    kept: list[ScoreIn] = []
    refused: list[Refusal] = []
    for one in given:
        try:
            kept.append(score_of(one))
        except RequestError as error:
            refused.append(Refusal(message=error.message))
    await scores.add_all(project_id, kept)
    if not refused:
        response.status_code = 202
        return Accepted()
    response.status_code = 207
    return Partly(accepted=len(kept), rejected=len(refused), errors=refused)
