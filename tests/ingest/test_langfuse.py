"""Langfuse's words: what their SDKs write beside what the recorded conversations hold."""

from __future__ import annotations

import json

import pytest

from watchkeeper.ingest.mapper import map_span
from watchkeeper.model import Attributes, AttributeValue, RawSpan, Span


def read(name: str = "llm", **observed: AttributeValue) -> Span:
    """Map one observation; values that are no text are written as JSON, as the SDKs do."""
    written: Attributes = {
        f"langfuse.observation.{key.replace('__', '.')}": value if isinstance(value, str | int) else json.dumps(value)
        for key, value in observed.items()
    }
    return map_span(
        "default", RawSpan(trace_id="a" * 32, span_id="b" * 16, name=name, start_time=10**18, attributes=written), 0
    )


@pytest.mark.parametrize(
    ("told", "totals"),
    [
        ({"input": "many", "output": -3}, (None, None)),
        (["no", "usage"], (None, None)),
        ({"input": 36, "output": 13, "input_cached_tokens": 64, "output_reasoning_tokens": 7, "total": 120}, (100, 20)),
        (
            {"input": 100, "output": 20, "input_cached_tokens": 64, "output_reasoning_tokens": 7, "total": 120},
            (100, 20),
        ),
        ({"input": 10, "output": 5, "input_cached_tokens": 2}, (12, 5)),
        ({"prompt_tokens": 100, "completion_tokens": 20, "prompt_tokens_details": {"cached_tokens": 64}}, (100, 20)),
    ],
)
def test_buckets_become_inclusive_totals(told: AttributeValue, totals: tuple[int | None, int | None]) -> None:
    """Buckets that add up are summed, totals that hold them are taken, and nonsense is nothing."""
    usage = read(type="generation", usage_details=told).usage
    assert (usage.input_tokens, usage.output_tokens) == totals


def test_a_failed_calls_zeros_are_no_price() -> None:
    """Zeros beside no usage are not taken for a price; an amount that the app gives is."""
    nothing = read(type="generation", cost_details={"input": 0, "output": 0, "total": 0}, level="ERROR")
    given = read(type="generation", cost_details={"input": 0.25, "output": 0.5}, usage_details={"input": 3})
    assert nothing.cost is None
    assert given.cost is not None
    assert (given.cost.state, given.cost.nano_usd) == ("provided", 750_000_000)


def test_a_level_tells_of_a_failure_that_no_status_does() -> None:
    """An observation of level ERROR is an error, with its message, though OpenTelemetry's status was left unset."""
    failed, warned = read(level="ERROR", status_message="out of luck"), read(level="WARNING", status_message="hm")
    assert (failed.status, failed.status_message, warned.status) == ("error", "out of luck", "unset")


def test_settings_that_nobody_made_are_left_out() -> None:
    """What the wrapper fills in beside `max_tokens: Infinity` is no setting; the same values alone are."""
    filled: AttributeValue = {
        "max_tokens": "Infinity",
        "temperature": 0.2,
        "top_p": 1,
        "frequency_penalty": 0,
        "presence_penalty": 0,
    }
    assert read(type="generation", model__parameters=filled).parameters == {"temperature": 0.2}
    assert read(type="generation", model__parameters={"top_p": 1, "stop": ""}).parameters == {"top_p": 1}


@pytest.mark.parametrize("told", ["no time", '"yesterday"', '"2026-11-26T10:00:00"', "17", '"1969-01-01T00:00:00Z"'])
def test_a_first_token_at_no_time_is_none(told: str) -> None:
    """A time that is none, has no zone or lies before the call gives no time to the first token."""
    assert read(type="generation", completion_start_time=told).time_to_first_token_ns is None


def test_a_prompt_is_linked() -> None:
    """The prompt of a generation is told by its name and its version."""
    span = read(type="generation", prompt__name="folder/greeting", prompt__version=3)
    assert (span.prompt_name, span.prompt_version) == ("folder/greeting", "3")
