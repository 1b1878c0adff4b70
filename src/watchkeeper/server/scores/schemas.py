"""What the score endpoints take and answer."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from watchkeeper.model import Score
from watchkeeper.server.schemas import Model, Time, plain

__all__ = ["ScoreIn", "ScoreOut", "ScorePage", "ScoreReceipt"]

Short = Annotated[str, Field(min_length=1, max_length=500)]
Source = Literal["code", "judge", "guard", "human", "api"]


class ScoreIn(Model):
    """A judgement to store. The same `id` again replaces the row; left out, one is made."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"name": "helpful", "value": 1, "trace_id": "0af7651916cd43dd8448eb211c80319c"}]
        },
    )

    name: Short
    id: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    trace_id: Annotated[str, Field(pattern="^[0-9a-f]{32}$")] | None = None
    span_id: Annotated[str, Field(pattern="^[0-9a-f]{16}$")] | None = None
    session_id: Short | None = None
    value: Annotated[float, Field(allow_inf_nan=False)] | None = None
    label: Annotated[str, Field(max_length=500)] | None = None
    source: Source = "api"
    evaluator: Short | None = None
    evaluator_version: Short | None = None
    comment: Annotated[str, Field(max_length=20_000)] | None = None
    time: Annotated[str, Field(max_length=40, description="RFC 3339; now when left out")] | None = None

    @model_validator(mode="after")
    def _aimed_and_said(self) -> ScoreIn:
        if self.value is None and self.label is None:
            raise ValueError("a score has a value, a label, or both")
        if self.trace_id is None and self.session_id is None:
            raise ValueError("a score is about a trace (trace_id, with span_id for one span) or a session (session_id)")
        if self.span_id is not None and self.trace_id is None:
            raise ValueError("span_id needs its trace_id")
        return self


class ScoreOut(Model):
    """A stored judgement."""

    id: str
    project: str
    name: str
    trace_id: str | None = None
    span_id: str | None = None
    session_id: str | None = None
    value: float | None = None
    label: str | None = None
    source: str = "api"
    evaluator: str | None = None
    evaluator_version: str | None = None
    comment: str | None = None
    time: Time

    @classmethod
    def of(cls, score: Score) -> ScoreOut:
        """Build it from the store's row."""
        return cls.model_validate({"project": score.project, "time": score.time} | plain(score))


class ScorePage(Model):
    """Newest first."""

    items: list[ScoreOut]
    next_cursor: str | None


class ScoreReceipt(Model):
    """The score is durable; its id."""

    id: str
