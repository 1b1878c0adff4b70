"""`POST /api/public/ingestion`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from watchkeeper.server.langfuse.ingestion.schemas import BatchIn, BatchOut
from watchkeeper.server.langfuse.ingestion.service import ingest
from watchkeeper.server.otlp.service import IngestService
from watchkeeper.server.request import project, services
from watchkeeper.server.scores.service import ScoreService

__all__ = ["router"]

router = APIRouter()


@router.post("/ingestion", status_code=207)
async def add_batch(
    given: BatchIn,
    project_id: Annotated[str, Depends(project)],
    spans: Annotated[IngestService, Depends(services(lambda parts: parts.ingest))],
    scores: Annotated[ScoreService, Depends(services(lambda parts: parts.scores))],
) -> BatchOut:
    """Store what can be stored, durably, and say of each event what became of it."""
    return await ingest(project_id, given.batch, spans, scores)
