"""Which model calls are told twice, over what real clients sent and over anything else."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ingest import recorded
from watchkeeper.ingest import map_span
from watchkeeper.model import MODEL_KINDS, Span
from watchkeeper.pricing import Pricer
from watchkeeper.store.doubles import Call, call_of, duplicates, duplicates_of

RECORDED = sorted({path.name.partition(".")[0] for path in recorded.FOLDER.iterdir()})
TWICE = {"litellm_instrumented": 5, "phoenix-anthropic_twice": 4}
"""The recordings whose application was instrumented twice, on purpose, and how many calls it made."""


def _traces(client: str) -> list[list[Span]]:
    pricer, traces = Pricer(), dict[str, list[Span]]()
    for raw in recorded.raws(client):
        span = pricer.price(map_span("default", raw, 1))
        traces.setdefault(span.trace_id, []).append(span)
    return list(traces.values())


@pytest.mark.parametrize("client", RECORDED)
def test_recorded_calls_are_counted_once(client: str) -> None:
    """Of a client that was instrumented twice each call is counted once, by either; of any other, each as it is."""
    found = [(trace, duplicates_of(trace)) for trace in _traces(client)]
    calls = sum(span.kind in MODEL_KINDS for trace, _ in found for span in trace)
    doubles = sum(len(one) for _, one in found)

    assert (doubles, calls - doubles) == ((TWICE[client],) * 2 if client in TWICE else (0, calls))


@pytest.mark.parametrize("client", TWICE)
def test_the_counted_ones_tell_what_was_used(client: str) -> None:
    """Where one of two tells no output or tokens, the other is counted."""
    for trace in _traces(client):
        by_id = {span.span_id: span for span in trace}
        for double, kept in duplicates_of(trace).items():
            assert bool(by_id[kept].usage) >= bool(by_id[double].usage)
            assert by_id[kept].raw.scope.name != by_id[double].raw.scope.name


_WORTH = (False, False, False, False, False, 0, 5)

CALLS = st.lists(
    st.builds(
        lambda at, parent, scope, start, took, model, tokens, response: Call(
            f"{at}", f"{parent}" if parent else None, "llm", scope, start, start + took, frozenset(model), (tokens, 0),
            failed=False, response_id=response, worth=(False, False, False, False, False, 0, took, f"{at}"),
        ),
        st.integers(0, 99), st.integers(0, 12), st.sampled_from(["", "a", "b", "c"]), st.integers(0, 3), st.integers(0, 3),
        st.sets(st.sampled_from(["m", "n"])), st.integers(0, 1), st.sampled_from([None, "r", "s"]),
    ),
    max_size=12, unique_by=lambda call: call.span_id,
)  # fmt: skip


@given(calls=CALLS, order=st.randoms(use_true_random=False))
def test_every_double_names_one_that_is_counted(calls: list[Call], order: object) -> None:
    """Whatever arrives, in any order: a double names a counted call of its trace, and no scope tells a call twice."""
    parents = {call.span_id: call.parent for call in calls}
    found = duplicates(calls, parents)
    shuffled = list(calls)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    scopes = {call.span_id: call.scope for call in calls}
    groups = Counter((found.get(call.span_id, call.span_id), call.scope) for call in calls)

    assert duplicates(shuffled, parents) == found
    assert all(kept in scopes and kept not in found for kept in found.values())
    assert max(groups.values(), default=1) == 1


def test_calls_in_a_circle_end() -> None:
    """Spans that are each other's parents are looked at like any other."""
    one, other = (
        Call(
            name,
            parent,
            "llm",
            name,
            0,
            5,
            frozenset({"m"}),
            (1, 1),
            failed=False,
            response_id=None,
            worth=(*_WORTH, name),
        )
        for name, parent in (("a", "b"), ("b", "a"))
    )

    assert duplicates([one, other], {"a": "b", "b": "a"}) == {"b": "a"}


def test_other_response_ids_are_other_calls() -> None:
    """Calls that tell different response ids are two, whatever else agrees."""
    trace = _traces("litellm_instrumented")[0]
    calls = [call_of(span) for span in trace if span.kind in MODEL_KINDS]
    parents = {span.span_id: span.parent_span_id for span in trace}
    told = [call._replace(response_id=f"r-{at}") for at, call in enumerate(calls)]

    assert duplicates(calls, parents) != {}
    assert duplicates(told, parents) == {}
