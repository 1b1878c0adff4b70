"""`wk.score`, and where to look at what was traced."""

from __future__ import annotations

import logging
from typing import Any, NamedTuple

from opentelemetry import trace

from watchkeeper.kit.ids import new_id
from watchkeeper.model import ScoreSource
from watchkeeper.sdk.context import session_id
from watchkeeper.sdk.runtime import current
from watchkeeper.sdk.scores import score_size

__all__ = ["Stats", "current_trace_url", "flush", "score", "stats"]

_log = logging.getLogger("watchkeeper")


def score(
    name: str,
    value: float | bool | None = None,  # noqa: FBT001 - a verdict may be yes or no
    *,
    label: str | None = None,
    trace_id: str | None = None,
    span_id: str | None = None,
    comment: str | None = None,
    source: ScoreSource = "code",
    evaluator: str | None = None,
    evaluator_version: str | None = None,
    id: str | None = None,  # noqa: A002 - reads as wk.score(id=…)
) -> None:
    """Judge a trace or a span; the current one where none is named. Sent from a thread of its own.

    Args:
        name: what was judged, such as "helpful".
        value: a number, or True or False.
        label: a word, instead of or beside the value.
        trace_id: 32 hex digits.
        span_id: 16 hex digits.
        comment: why.
        source: code, judge, guard, human or api.
        evaluator: what judged.
        evaluator_version: which version of it.
        id: makes it idempotent: the same id again replaces the score.
    """
    runtime = current()
    if runtime is None:
        return
    try:
        number = None if value is None else float(value)
    except (TypeError, ValueError):
        _log.warning("score %r has the value %r, which is no number; a word goes into label=. Not sent", name, value)
        return
    here = trace.get_current_span().get_span_context()
    if trace_id is None and here.is_valid:
        trace_id, span_id = f"{here.trace_id:032x}", span_id or f"{here.span_id:016x}"
    told: dict[str, Any] = {
        "id": id or new_id(), "name": name, "value": number, "label": label,
        "trace_id": trace_id, "span_id": span_id, "session_id": session_id(), "comment": comment, "source": source,
        "evaluator": evaluator, "evaluator_version": evaluator_version,
    }  # fmt: skip
    whole = {key: item for key, item in told.items() if item is not None}
    runtime.scores.put(whole, score_size(whole))


class Stats(NamedTuple):
    """What was sent and what was lost since `init`, or since the fork."""

    spans_sent: int = 0
    spans_lost: int = 0
    """Not taken by the server, or dropped because too many waited."""
    scores_sent: int = 0
    scores_dropped: int = 0
    """Refused, not taken by the server, or dropped because too many waited."""
    spans_waiting: int = 0
    """In the queue, or about to be sent again."""
    spans_dropped: int = 0
    """Those of `spans_lost` that found no place in the queue."""
    spans_sampled_out: int = 0
    """Left out by `sample`."""
    redactions_failed: int = 0
    """Texts left out because the `redact` hook failed on them."""


def stats() -> Stats:
    """Count what was sent and lost; all zero before `init`."""
    runtime = current()
    if runtime is None:
        return Stats()
    spans, scores = runtime.spans, runtime.scores
    return Stats(
        spans.sent, spans.lost + spans.dropped, scores.sent, scores.lost + scores.dropped,
        spans.waiting, spans.dropped, runtime.sieve.sampled_out, runtime.redaction.failed if runtime.redaction is not None else 0,
    )  # fmt: skip


def flush(timeout: float = 10) -> bool:
    """Send what waits; False when it took longer than `timeout` seconds, or was not taken."""
    runtime = current()
    return True if runtime is None else runtime.flush(timeout)


def current_trace_url() -> str | None:
    """Return the dashboard's address of the current trace, None outside a span or before `init`."""
    runtime = current()
    here = trace.get_current_span().get_span_context()
    return f"{runtime.endpoint}/traces/{here.trace_id:032x}" if runtime is not None and here.is_valid else None
