"""The codec: what goes in comes out, typed."""

from __future__ import annotations

import math
from typing import Any

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import given

from watchkeeper.model import AttributeValue, RawEvent, RawLink, RawLog, RawSpan, Scope
from watchkeeper.store import codec

_TEXT = st.text(alphabet=st.characters(codec=None), max_size=8)
_KEYS = st.one_of(_TEXT, st.sampled_from(["$bytes", "$double", "$text", "$map", "a"]))
_LEAVES = st.one_of(
    _TEXT, st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(), st.binary(max_size=6), st.none()
)
_VALUES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3), max_leaves=8
)
_ATTRIBUTES = st.dictionaries(_KEYS, _VALUES, max_size=4)
_IDS = st.just("ab" * 8)
_LOGS = st.builds(RawLog, trace_id=_IDS, span_id=_IDS, body=_VALUES, attributes=_ATTRIBUTES, event_name=_TEXT)
_SPANS = st.builds(
    RawSpan,
    trace_id=_IDS,
    span_id=_IDS,
    name=_TEXT,
    start_time=st.integers(0, 2**64 - 1),
    attributes=_ATTRIBUTES,
    resource=_ATTRIBUTES,
    scope=st.builds(Scope, name=_TEXT, attributes=_ATTRIBUTES),
    events=st.lists(st.builds(RawEvent, name=_TEXT, attributes=_ATTRIBUTES), max_size=2).map(tuple),
    links=st.lists(st.builds(RawLink, trace_id=_TEXT, attributes=_ATTRIBUTES), max_size=2).map(tuple),
    logs=st.lists(_LOGS, max_size=2).map(tuple),
)


def exact(value: Any) -> Any:
    """Return the value with its types made visible, for 1 == 1.0 == True and NaN != NaN."""
    if isinstance(value, dict):
        return {exact(key): exact(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [exact(item) for item in value]
    if isinstance(value, float):
        return "float", "nan" if math.isnan(value) else value.hex()
    if isinstance(value, str | int | bytes | bool | None):
        return type(value).__name__, value
    return type(value).__name__, [exact(getattr(value, name)) for name in value.__struct_fields__]


@pytest.mark.parametrize("text", ["", "nonsense", "[1", "{"])
def test_damaged_text_is_an_error(text: str) -> None:
    """Text that the codec did not write is refused, not guessed at."""
    with pytest.raises(msgspec.DecodeError):
        codec.decode_attributes(text)


@given(_ATTRIBUTES)
def test_attributes_round_trip(attributes: dict[str, Any]) -> None:
    """Any attribute map comes back with every value and type."""
    assert exact(codec.decode_attributes(codec.encode_attributes(attributes))) == exact(attributes)


@given(_SPANS)
def test_raw_spans_round_trip(raw: RawSpan) -> None:
    """Any raw span comes back whole from its three texts."""
    back = codec.decode_raw(
        codec.encode_attributes(raw.attributes), codec.encode_attributes(raw.resource), codec.encode_raw_rest(raw)
    )
    assert exact(back) == exact(raw)


@given(_LOGS)
def test_logs_round_trip(log: RawLog) -> None:
    """Any log record comes back whole."""
    assert exact(codec.decode_log(codec.encode_log(log))) == exact(log)


@given(_ATTRIBUTES)
def test_text_is_always_unicode(attributes: dict[str, Any]) -> None:
    """What is written is valid UTF-8, whatever came in."""
    codec.encode_attributes(attributes).encode()


@given(_ATTRIBUTES, _ATTRIBUTES)
def test_fingerprints_tell_apart(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Two receipts have one fingerprint exactly when their texts are the same."""
    a, b = codec.encode_attributes(one), codec.encode_attributes(other)
    assert (codec.fingerprint(one, "{}", "{}") == codec.fingerprint(other, "{}", "{}")) == (a == b)


def test_fingerprint_knows_the_parts() -> None:
    """Moving text from one part to the next is a difference."""
    assert codec.fingerprint({}, "ab", "c") != codec.fingerprint({}, "a", "bc")


@pytest.mark.parametrize("odd", [b"x", float("nan"), [1], {"k": None}, "\udc00"])
def test_fingerprint_knows_odd_values(odd: AttributeValue) -> None:
    """A value that only JSON text holds is told from another, and is the same as itself."""
    told = codec.fingerprint({"a": odd}, "{}", "{}")
    assert told == codec.fingerprint({"a": odd}, "{}", "{}") != codec.fingerprint({"a": repr(odd)}, "{}", "{}")
