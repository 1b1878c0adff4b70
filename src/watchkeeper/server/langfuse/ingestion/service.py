"""Stores a batch: spans by way of ingest, masked and journaled like any other, scores by way of scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from watchkeeper.ingest import DecodedTraces, ScoreEvent, read_event
from watchkeeper.kit.errors import RequestError
from watchkeeper.model import RawSpan, merge_raw
from watchkeeper.server.langfuse.ingestion.schemas import BatchOut, Failed, Stored
from watchkeeper.server.langfuse.scores.service import score_of

if TYPE_CHECKING:
    from watchkeeper.server.otlp.service import IngestService
    from watchkeeper.server.scores.service import ScoreService

__all__ = ["ingest"]

_REFUSED = 400


async def ingest(project: str, events: list[Any], spans: IngestService, scores: ScoreService) -> BatchOut:
    """Store the events that can be; one that cannot stops no other.

    Raises:
        OverloadedError: nothing was stored; the client tries again.
        StoreError: the same.
    """
    stored: list[Stored] = []
    failed: list[Failed] = []
    found: dict[tuple[str, str], RawSpan] = {}
    judged = []
    for event in events:
        told = event.get("id") if isinstance(event, dict) else None
        event_id = told if isinstance(told, str) else ""
        try:
            _, outcome = read_event(event)
            if isinstance(outcome, RawSpan):
                key = (outcome.trace_id, outcome.span_id)
                found[key] = merge_raw(found[key], outcome) if key in found else outcome
            elif isinstance(outcome, ScoreEvent):
                judged.append(score_of(outcome.body))
        except RequestError as error:
            failed.append(Failed(id=event_id, status=_REFUSED, message=error.message, error="invalid"))
            continue
        stored.append(Stored(id=event_id))
    if found:
        raws = tuple(found.values())
        size = len(msgspec.json.encode(raws))
        await spans.traces(project, size, lambda: DecodedTraces(raws))
    await scores.add_all(project, judged)
    return BatchOut(successes=stored, errors=failed)
