"""Times as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.kit.clock import SystemClock, format_rfc3339, parse_rfc3339


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-13-01T00:00:00Z", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00.1234567890Z"]
)
def test_refuses_what_is_no_time(text: str) -> None:
    """Text that is not RFC 3339 raises ValueError."""
    with pytest.raises(ValueError, match=r".*"):
        parse_rfc3339(text)


@given(st.integers(min_value=0, max_value=4_000_000_000_000_000_000))
def test_every_nanosecond_survives(ns: int) -> None:
    """Writing a time and reading it back loses no nanosecond."""
    assert parse_rfc3339(format_rfc3339(ns)) == ns


def test_offsets_are_understood() -> None:
    """A time with an offset is the same instant as in UTC."""
    assert parse_rfc3339("2026-01-01T02:00:00.5+02:00") == parse_rfc3339("2026-01-01T00:00:00.5Z")


def test_the_system_clock_moves_on() -> None:
    """The system clock never runs backwards between two readings."""
    clock = SystemClock()
    first = clock.now_ns()

    assert clock.now_ns() >= first > 0
