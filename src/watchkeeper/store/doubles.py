"""One model call that two libraries instrumented, found among the spans of a trace.

A framework and the client beneath it, or an SDK that sends spans of its own under an instrumentation, each tell the same
call: two spans, one bill. Nothing says so on the wire, so it is concluded, and only where all of it agrees: the two come from
different instrumentation scopes, one runs within the other, they stand side by side or above each other, and they tell the
same model and the same counts. Why so: `docs/adr/0016-double-instrumentation.md`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from watchkeeper.model import MODEL_KINDS, Span

__all__ = ["Call", "call_of", "duplicates", "duplicates_of", "may_hold"]

_DEEPEST = 1_000


class Call(NamedTuple):
    """A model call as far as it tells whether it is another's double. Times in ns.

    `worth` orders the spans of one call, the one to count first: usage known, cost told by the emitter, output, input and
    response id there, most counts, shortest, then by id.
    """

    span_id: str
    parent: str | None
    kind: str
    scope: str
    start: int
    end: int
    models: frozenset[str]
    tokens: tuple[int, int]
    failed: bool
    response_id: str | None
    worth: tuple[bool, bool, bool, bool, bool, int, int, str]


def call_of(span: Span) -> Call:
    """Return what a span tells of its call."""
    usage, cost = span.usage, span.cost
    told = sum(getattr(usage, name) is not None for name in usage.__struct_fields__)
    models = {span.model, span.request_model, span.response_model} - {None, ""}
    return Call(
        span.span_id, span.parent_span_id, span.kind, span.raw.scope.name, span.start_time,
        span.start_time + span.duration_ns, frozenset(str(one) for one in models),
        (usage.input_tokens or 0, usage.output_tokens or 0), span.status == "error", span.response_id or None,
        (
            told == 0, cost is None or cost.state != "provided", span.output is None, span.input is None,
            not span.response_id, -told, span.duration_ns, span.span_id,
        ),
    )  # fmt: skip


def may_hold(spans: Sequence[Span]) -> bool:
    """Say whether the model calls among a trace's spans come from more than one scope. Cheap."""
    first: str | None = None
    for span in spans:
        if span.kind in MODEL_KINDS:
            name = span.raw.scope.name
            if first is None:
                first = name
            elif name != first:
                return True
    return False


def duplicates_of(spans: Sequence[Span]) -> dict[str, str]:
    """Return which of a trace's spans are doubles, and of which span; see `duplicates`."""
    if not may_hold(spans):
        return {}
    parents = {span.span_id: span.parent_span_id for span in spans}
    return duplicates([call_of(span) for span in spans if span.kind in MODEL_KINDS], parents)


def duplicates(calls: Iterable[Call], parents: Mapping[str, str | None]) -> dict[str, str]:
    """Return for each double the span id of the one that is counted.

    `calls` are one trace's model calls, `parents` every known span of it with its parent. The shortest first, each takes
    the tightest call that encloses it; a scope tells a call once.
    """
    ordered = sorted(calls, key=lambda call: (call.end - call.start, call.span_id))
    above = {call.span_id: _above(call.span_id, parents) for call in ordered}
    group: dict[str, list[Call]] = {call.span_id: [call] for call in ordered}
    for at, inner in enumerate(ordered):
        fitting = [
            outer
            for outer in ordered[at + 1 :]
            if _is_same(inner, outer, above) and not _scopes(group[inner.span_id]) & _scopes(group[outer.span_id])
        ]
        if not fitting:
            continue
        outer = min(fitting, key=lambda one: (one.end - one.start, not _named_alike(inner, one), one.span_id))
        merged = group[inner.span_id] + group[outer.span_id]
        for one in merged:
            group[one.span_id] = merged
    found: dict[str, str] = {}
    for call in ordered:
        kept = min(group[call.span_id], key=lambda one: one.worth)
        if kept.span_id != call.span_id:
            found[call.span_id] = kept.span_id
    return found


def _is_same(inner: Call, outer: Call, above: Mapping[str, Collection[str]]) -> bool:
    return (
        inner.kind == outer.kind
        and inner.scope != outer.scope
        and outer.start <= inner.start
        and inner.end <= outer.end
        and inner.tokens == outer.tokens
        and inner.failed == outer.failed
        and not inner.models.isdisjoint(outer.models)
        and (inner.response_id is None or outer.response_id is None or inner.response_id == outer.response_id)
        and (
            inner.parent == outer.parent
            or outer.span_id in above[inner.span_id]
            or inner.span_id in above[outer.span_id]
        )
    )


def _above(span_id: str, parents: Mapping[str, str | None]) -> set[str]:
    """Return the ids of the spans above one, as far as they are known; a circle ends where it began."""
    found: set[str] = set()
    parent = parents.get(span_id)
    while parent is not None and parent not in found and len(found) < _DEEPEST:
        found.add(parent)
        parent = parents.get(parent)
    return found


def _scopes(calls: Iterable[Call]) -> set[str]:
    return {call.scope for call in calls}


def _named_alike(one: Call, other: Call) -> bool:
    return one.response_id is not None and one.response_id == other.response_id
