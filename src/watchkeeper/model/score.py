"""A judgement about a trace, a span or a session."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

__all__ = ["Score", "ScoreSource"]

ScoreSource: TypeAlias = Literal["code", "judge", "guard", "human", "api"]


class Score(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One verdict: a `value` (number; True and False are 1 and 0), a `label`, or both.

    `id` makes it idempotent: the same id again replaces the row. `time` is ns since the epoch.
    """

    id: str
    project: str = "default"
    name: str
    trace_id: str | None = None
    span_id: str | None = None
    session_id: str | None = None
    value: float | None = None
    label: str | None = None
    source: ScoreSource = "api"
    evaluator: str | None = None
    evaluator_version: str | None = None
    comment: str | None = None
    time: int = 0
