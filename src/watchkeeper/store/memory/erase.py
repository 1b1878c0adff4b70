"""What a selector takes, worked out over plain dictionaries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from watchkeeper.model import RawLog, Score, Span
from watchkeeper.store.api import ErasureReport, ExpiryReport, Selector
from watchkeeper.store.selecting import names_user

__all__ = ["Erasure", "chosen_traces", "erasure", "expiry"]

_Key: TypeAlias = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Erasure:
    """The keys to delete, and the report."""

    spans: list[_Key]
    scores: list[tuple[str, str]]
    logs: list[_Key]
    report: ErasureReport


def chosen_traces(
    project: str, selector: Selector, spans: Sequence[Span], logs: Mapping[_Key, list[RawLog]]
) -> set[str]:
    """Return the ids of the selected traces."""
    found = set(selector.traces)
    found.update(
        span.trace_id for span in spans if span.user_id in selector.users or span.session_id in selector.sessions
    )
    for (owner, trace_id, _), waiting in logs.items():
        if owner == project and any(names_user(log, selector.users) for log in waiting):
            found.add(trace_id)
    return found


def erasure(
    project: str,
    selector: Selector,
    traces: set[str],
    spans: Sequence[Span],
    scores: Mapping[tuple[str, str], Score],
    logs: Mapping[_Key, list[RawLog]],
) -> Erasure:
    """Say what goes with these traces. `spans` are all of the project."""
    gone = [span for span in spans if span.trace_id in traces]
    sessions = {span.session_id for span in gone} - {span.session_id for span in spans if span.trace_id not in traces}
    sessions |= set(selector.sessions)
    judged = [
        score
        for score in scores.values()
        if score.project == project
        and (score.trace_id in traces or (score.trace_id is None and score.session_id in sessions - {None}))
    ]
    waiting = [key for key in logs if key[0] == project and key[1] in traces]
    named = {span.trace_id for span in gone} | {score.trace_id for score in judged} | {key[1] for key in waiting}
    starts = [span.start_time for span in gone]
    return Erasure(
        spans=[(project, span.trace_id, span.span_id) for span in gone],
        scores=[(project, score.id) for score in judged],
        logs=waiting,
        report=ErasureReport(
            traces=len(named - {None}), spans=len(gone), scores=len(judged),
            pending_logs=sum(len(logs[key]) for key in waiting),
            first=min(starts, default=None), last=max(starts, default=None),
        ),
    )  # fmt: skip


def expiry(
    project: str,
    service: str,
    before: int,
    most: int,
    spans: Mapping[_Key, tuple[Span, int]],
    scores: Mapping[tuple[str, str], Score],
    logs: Mapping[_Key, list[RawLog]],
) -> tuple[Erasure, ExpiryReport]:
    """Say which spans are the oldest of a service, and what goes with the last one of a trace."""
    old = sorted(
        (span.start_time, key)
        for key, (span, _) in spans.items()
        if key[0] == project and span.service == service and span.start_time < before
    )
    edge = old[most][0] if len(old) > most else None
    keys = {key for start, key in old if edge is None or start <= edge}
    ended = {key[1] for key in keys} - {key[1] for key in spans if key[0] == project and key not in keys}
    judged = [key for key, score in scores.items() if key[0] == project and score.trace_id in ended]
    waiting = [key for key in logs if key[0] == project and key[1] in ended]
    report = ExpiryReport(
        spans=len(keys), scores=len(judged), pending_logs=sum(len(logs[key]) for key in waiting), more=edge is not None
    )
    return Erasure(spans=list(keys), scores=judged, logs=waiting, report=ErasureReport()), report
