"""Mode off on what real clients sent: nothing that was said is left, under whichever key it came."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.clients.client import setups
from tests.ingest.recorded import raws
from watchkeeper.guard.content import strip_span
from watchkeeper.model import Attributes, RawSpan

SAID = ("weather bot", "in Bern", "sunny", "clear", "Look up")
"""Of the system's prompt, the question, the answer, the tool's result and its description."""


def maps(raw: RawSpan) -> Iterator[Attributes]:
    """Return every map of attributes that is left of a span."""
    yield from (raw.attributes, raw.resource, raw.scope.attributes)
    yield from (one.attributes for one in raw.events)
    yield from (one.attributes for one in raw.links)
    yield from (one.attributes for one in raw.logs)


@pytest.mark.parametrize("name", setups())
def test_nothing_that_was_said_is_left(name: str) -> None:
    """Of a recorded conversation stripped of its content, no attribute repeats any of it."""
    left = {
        key
        for raw in raws(name)
        for found in maps(strip_span(raw)[0])
        for key, value in found.items()
        if any(word in repr(value) for word in SAID)
    }

    assert left == set()
