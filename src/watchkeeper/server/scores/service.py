"""Scores for the API."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from watchkeeper.kit.clock import Clock
from watchkeeper.kit.ids import new_id
from watchkeeper.model import Score
from watchkeeper.server.capture import Capture
from watchkeeper.server.request import nanoseconds
from watchkeeper.server.scores.schemas import ScoreIn, ScoreOut, ScorePage
from watchkeeper.store.api import SpanStore, WriteBatch

__all__ = ["ScoreService"]


class ScoreService:
    """Writes and reads the scores of one project at a time."""

    def __init__(self, store: SpanStore, clock: Clock, capture: Capture) -> None:
        self._store = store
        self._clock = clock
        self._capture = capture

    async def add(self, project: str, given: ScoreIn) -> str:
        """Store a score and return its id once it is durable."""
        return (await self.add_all(project, [given]))[0]

    async def add_all(self, project: str, given: Sequence[ScoreIn]) -> list[str]:
        """Store scores in one write and return their ids once they are durable."""
        found = tuple(self._capture.score(self._read(project, one)) for one in given)
        if found:
            size = sum(1_000 + len(one.comment or "") for one in given)
            await asyncio.wrap_future(self._store.submit(WriteBatch(scores=found, size=size)))
        return [one.id for one in found]

    def _read(self, project: str, given: ScoreIn) -> Score:
        fields = given.model_dump(exclude={"id", "time"})
        time = nanoseconds("time", given.time)
        when = self._clock.now_ns() if time is None else time
        return Score(id=given.id or new_id(), project=project, time=when, **fields)

    def list_scores(
        self, project: str, trace_id: str | None, span_id: str | None, name: str | None, limit: int, cursor: str | None
    ) -> ScorePage:
        """Return a page of scores."""
        page = self._store.list_scores(
            project, trace_id=trace_id, span_id=span_id, name=name, limit=limit, cursor=cursor
        )
        return ScorePage(items=[ScoreOut.of(score) for score in page.items], next_cursor=page.next_cursor)
