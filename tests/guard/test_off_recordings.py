"""Mode off on what real clients sent: nothing that was said is left, under whichever key it came, and every figure is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.clients.client import setups
from tests.ingest.recorded import raws
from watchkeeper.guard.content import strip_span
from watchkeeper.ingest import map_span
from watchkeeper.model import Attributes, RawSpan, Span

SAID = ("weather bot", "in Bern", "sunny", "clear", "Look up")
"""Of the system's prompt, the question, the answer, the tool's result and its description."""
IN_THE_ANSWER = {("mlflow", "Embeddings")}
"""Dialects and names of spans whose figures stand in their content alone."""


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


@pytest.mark.parametrize("name", setups())
def test_every_figure_is_left(name: str) -> None:
    """Stripped of its content, a recorded conversation has the same tokens, amounts, sessions and outcomes."""
    whole = raws(name)
    bare = [figures(map_span("p", strip_span(one)[0], 7)) for one in whole]

    assert bare == [figures(map_span("p", one, 7)) for one in whole]


def figures(span: Span) -> tuple[object, ...]:
    """Return what is counted and priced of a span."""
    if span.dialects and (span.dialects[0], span.name) in IN_THE_ANSWER:
        return (span.name,)
    return span.name, span.usage.input_tokens, span.usage.output_tokens, span.cost, span.session_id, span.status


@pytest.mark.parametrize(
    ("key", "text", "kept"),
    [
        ("app.usage", '{"input": 3, "note": "the patient said"}', False),
        ("app.usage", '{"the patient said": 3}', False),
        ("app.features", '{"input": 3}', False),
        ("app.usage", '{"input": 3' + " " * 5_000 + "}", False),
        ("app.usage", '{"input": 3, "details": {"cached": 1.5e3, "audio": null}}', True),
        ("app.usage_object", "{'prompt_tokens': 3, 'details': None}", True),
    ],
)
def test_an_object_of_figures_is_no_content(key: str, text: str, *, kept: bool) -> None:
    """An object under a key of usage or cost is kept if it holds names and numbers alone, and dropped for one text."""
    raw = RawSpan(trace_id="a" * 32, span_id="b" * 16, attributes={key: text})

    assert (key in strip_span(raw)[0].attributes) is kept
