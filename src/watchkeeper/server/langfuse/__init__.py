"""Langfuse's API under `/api/public`, as far as its clients of three generations call it: one slice a resource.

It is not in our OpenAPI document, since it is theirs; `docs/langfuse.md` says what is served.
"""

from __future__ import annotations

from fastapi import APIRouter

from watchkeeper.server.langfuse import datasets, ingestion, media, projects, prompts, rest, scores, sessions

__all__ = ["router"]

router = APIRouter(prefix="/api/public", include_in_schema=False)
for _slice in (
    projects,
    ingestion,
    scores,
    prompts,
    datasets,
    media,
    sessions,
    rest,  # the last one: it takes whatever no slice before it has
):
    router.include_router(_slice.router)
