"""What decoding gives, whichever encoding it came in, and the limits it keeps."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec

from watchkeeper.ingest.read import number
from watchkeeper.model import RawLog, RawSpan, Score

__all__ = [
    "EVALUATION", "MAX_ATTRIBUTE", "MAX_DEPTH", "MAX_TIME", "NO_SPAN", "DecodedLogs", "DecodedTraces", "RejectedError",
    "logs_of", "scores_of", "too_big", "too_deep",
]  # fmt: skip

MAX_ATTRIBUTE = 16 << 20
"""Most bytes of one attribute."""

MAX_DEPTH = 32
MAX_TIME = 2**63 - 1
EVALUATION = "gen_ai.evaluation.result"
NO_SPAN = "log records that name no span (trace id and span id) are not stored"


class DecodedTraces(msgspec.Struct, frozen=True):
    """Spans that can be kept, and how many could not, with the first reason."""

    spans: tuple[RawSpan, ...]
    rejected: int = 0
    reason: str = ""


class DecodedLogs(msgspec.Struct, frozen=True):
    """Log records that name a span, the service each came from, scores among them, and how many records name none."""

    logs: tuple[RawLog, ...]
    services: tuple[str, ...]
    scores: tuple[Score, ...] = ()
    rejected: int = 0
    reason: str = ""


class RejectedError(ValueError):
    """This one item cannot be kept."""


def too_big(key: str) -> RejectedError:
    """Return the error for an attribute over the limit."""
    return RejectedError(f"attribute {key[:80]!r} is over the limit of {MAX_ATTRIBUTE} bytes")


def too_deep() -> RejectedError:
    """Return the error for an attribute nested too deep."""
    return RejectedError(f"an attribute is nested deeper than {MAX_DEPTH} levels")


def logs_of(records: list[RawLog], services: list[str], rejected: int, reason: str) -> DecodedLogs:
    """Gather log records; evaluation results among them are scores too."""
    return DecodedLogs(tuple(records), tuple(services), scores_of(records), rejected, reason)


def scores_of(records: Iterable[RawLog]) -> tuple[Score, ...]:
    """Return the evaluation results among log records as scores."""
    return tuple(_score(log) for log in records if log.event_name == EVALUATION)


def _score(log: RawLog) -> Score:
    found = log.attributes
    value, label = number(found.get("gen_ai.evaluation.score.value")), found.get("gen_ai.evaluation.score.label")
    name, comment = found.get("gen_ai.evaluation.name"), found.get("gen_ai.evaluation.explanation")
    # The same record sent again must be the same score.
    key = f"{log.trace_id}{log.span_id}{name!r}{log.time}{value}{label!r}"
    return Score(
        id=hashlib.sha256(key.encode()).hexdigest()[:32],
        name=name if isinstance(name, str) and name else "evaluation",
        trace_id=log.trace_id,
        span_id=log.span_id,
        value=value,
        label=label if isinstance(label, str) else None,
        source="judge",
        comment=comment if isinstance(comment, str) else None,
        time=log.time,
    )
