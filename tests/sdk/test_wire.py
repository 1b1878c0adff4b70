"""The bytes we send: read back by the official protobuf library, and compared with the official encoder's."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, StatusCode, TraceFlags, TraceState

from watchkeeper.sdk.encode import Lazy
from watchkeeper.sdk.recorder import Origin, Recorder, Recording
from watchkeeper.sdk.wire import encode_request

PARENT = SpanContext(
    2**127 + 5, 2**63 + 7, is_remote=True, trace_flags=TraceFlags(1), trace_state=TraceState([("a", "b")])
)
VALUES = st.one_of(
    st.text(max_size=300), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False),
    st.lists(st.text(max_size=20), max_size=5), st.lists(st.integers(-(2**63), 2**63 - 1), max_size=5),
)  # fmt: skip


def decoded(body: bytes) -> ExportTraceServiceRequest:
    return ExportTraceServiceRequest.FromString(body)


def official(spans: list[ReadableSpan]) -> ExportTraceServiceRequest:
    made: ExportTraceServiceRequest = encode_spans(spans)
    return ExportTraceServiceRequest.FromString(made.SerializeToString())


def recorded(attributes: dict[str, Any]) -> list[Recording]:
    ended: list[Recording] = []
    origin = Origin(Resource({"service.name": "x", "n": 1}), InstrumentationScope("watchkeeper", "1"), ended.append)
    inside = trace.set_span_in_context(trace.NonRecordingSpan(PARENT))
    span = Recorder(origin, lambda _, __: True).start_span(
        "näme", inside, SpanKind.CLIENT, attributes, [Link(PARENT, {"why": "x"})]
    )
    span.add_event("hapened", {"a": [1, 2]}, 5)
    span.record_exception(ValueError("bad"))
    span.set_status(StatusCode.ERROR, "bad")
    span.end()
    return ended


def test_a_span_says_what_the_official_encoder_says() -> None:
    """Every field of a span of our recorder reads back as the official encoder writes it."""
    spans = recorded({"text": "ü" * 20_000, "yes": True, "n": -1, "f": 0.5, "list": ["a", "b"], "none": None})

    assert decoded(encode_request(spans).body) == official([span.readable() for span in spans])


@given(st.dictionaries(st.text(min_size=1, max_size=30), VALUES, max_size=6))
def test_any_attributes_read_back(attributes: dict[str, Any]) -> None:
    """Whatever the attributes are, the bytes read back as the official encoder's."""
    spans = recorded(attributes)

    assert decoded(encode_request(spans).body) == official([span.readable() for span in spans])


def test_spans_of_the_sdk_are_grouped(provider: TracerProvider) -> None:
    """OTel's own spans of two libraries arrive under one resource and two scopes, with their parents."""
    with provider.get_tracer("a", "1").start_as_current_span("outer") as outer:
        inner = provider.get_tracer("b").start_span("inner")
        inner.end()
    spans: list[Any] = [inner, outer]

    assert decoded(encode_request(spans).body) == official(spans)


def test_content_is_written_when_it_is_sent_as_it_was_when_it_was_set() -> None:
    """What the host changes in its messages after the call is not seen."""
    told = [{"role": "user", "content": ["a"]}]
    lazy = Lazy(told)
    told[0]["content"].append("b")  # type: ignore[attr-defined]  # a list
    told.append({})

    assert lazy.text() == '[{"role":"user","content":["a"]}]'


@pytest.mark.parametrize("value", ["\ud800", object(), {"a": {1, 2}}, 2**70])
def test_strange_values_cost_nothing_else(value: Any) -> None:
    """A value that OTLP has no place for does not cost the span its other attributes."""
    spans = recorded({"odd": value, "plain": 1})
    found = decoded(encode_request(spans).body).resource_spans[0].scope_spans[0].spans[0]

    assert [one.value.int_value for one in found.attributes if one.key == "plain"] == [1]
