"""Langfuse's ingestion batch, event by event."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.ingest import map_span, read_event, span_id_of, trace_id_of
from watchkeeper.kit.errors import RequestError
from watchkeeper.model import RawSpan, merge_raw

UUID = "0d4ff8b2-8b44-4a8c-b7c4-0b8f0d4f5a11"


def event(kind: str, **body: Any) -> dict[str, Any]:
    """Return one event."""
    return {"id": "e1", "type": kind, "timestamp": "2026-11-26T10:00:00Z", "body": body}


def span(kind: str, **body: Any) -> RawSpan:
    """Read an event that becomes a span."""
    found = read_event(event(kind, **body))[1]
    assert isinstance(found, RawSpan)
    return found


@pytest.mark.parametrize(
    "wrong",
    [
        None, [], {"id": "e"}, {"id": "e", "type": "span-create", "body": None}, event("span-delete", id="a"),
        event("span-create"), event("span-create", id="x" * 501), event("generation-update", id="a"),
        event("span-create", id="a", startTime="yesterday"),
    ],
)  # fmt: skip
def test_what_is_no_event_is_refused(wrong: object) -> None:
    """What is no event, names no id, changes something of no trace or happened at no time is refused with a reason."""
    with pytest.raises(RequestError):
        read_event(wrong)


@given(
    st.sampled_from(["trace-create", "span-create", "generation-update", "event-create", "observation-create", "score-create"]),
    st.dictionaries(
        st.sampled_from([
            "id", "traceId", "type", "name", "input", "metadata", "usage", "usageDetails", "tags", "model", "level",
            "modelParameters", "costDetails", "startTime", "timestamp", "promptVersion",
        ]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
            max_leaves=8,
        ),
    ),
)  # fmt: skip
def test_any_body_is_read_or_refused(kind: str, body: dict[str, Any]) -> None:
    """Whatever stands in a body, it is read or refused by the one error."""
    try:
        found = read_event(event(kind, **body))[1]
    except RequestError:
        return
    if isinstance(found, RawSpan):
        assert "langfuse" in map_span("p", found, 7).dialects


def test_ids_are_kept_where_they_are_ours() -> None:
    """A UUID is a trace's id without its dashes; other ids become digests, the same each time."""
    assert trace_id_of(UUID) == UUID.replace("-", "")
    assert (len(trace_id_of("order-17")), trace_id_of("order-17")) == (32, trace_id_of("order-17"))
    assert (span_id_of("0123456789abcdef"), len(span_id_of(UUID))) == ("0123456789abcdef", 16)


def test_a_change_fills_in_what_was_created() -> None:
    """A generation that is created and then changed is one call, with what either said."""
    made = span(
        "generation-create", id="g", traceId=UUID, name="llm", startTime="2026-11-26T10:00:00Z", model="gpt-4o-mini",
        input=[{"role": "user", "content": "Hi"}], modelParameters={"temperature": 0.5},
    )  # fmt: skip
    changed = span(
        "generation-update", id="g", traceId=UUID, endTime="2026-11-26T10:00:02.500Z", output="Hello",
        usage={"promptTokens": 10, "completionTokens": 5, "totalCost": 0.25}, completionStartTime="2026-11-26T10:00:01Z",
    )  # fmt: skip
    call = map_span("p", merge_raw(made, changed), 7)

    assert (call.kind, call.name, call.model, call.duration_ns) == ("llm", "llm", "gpt-4o-mini", 2_500_000_000)
    assert (call.usage.input_tokens, call.usage.output_tokens) == (10, 5)
    assert (call.time_to_first_token_ns, call.parameters) == (1_000_000_000, {"temperature": 0.5})
    assert call.cost is not None
    assert call.cost.nano_usd == 250_000_000
    assert call.parent_span_id == span("trace-create", id=UUID).span_id


def test_a_trace_stands_above_its_observations() -> None:
    """A trace is a span with its user, session and tags; what names a parent stands under that."""
    trace = map_span("p", span("trace-create", id=UUID, name="t", userId="u", sessionId="s", tags=["a"], input="Hi"), 7)
    child = span("span-create", id="c", traceId=UUID, parentObservationId="p")

    assert (trace.name, trace.user_id, trace.session_id, trace.tags, trace.parent_span_id) == (
        "t",
        "u",
        "s",
        ("a",),
        None,
    )
    assert (child.trace_id, child.parent_span_id) == (trace.trace_id, span_id_of("p"))
