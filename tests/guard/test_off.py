"""Mode `off` on what the real clients send: nothing of what was said is left, and every figure is."""

from __future__ import annotations

import msgspec
import pytest

from tests.ingest.recorded import FOLDER, raws
from watchkeeper.guard.content import strip_span
from watchkeeper.ingest import map_span
from watchkeeper.model import RawSpan, Span

SAID = ("Bern", "sunny", "You are a")
"""Words of the conversation that no name, key or version holds."""
TRACES = sorted(path.name.removesuffix(".traces.pb") for path in FOLDER.glob("*.traces.pb"))
ARGUMENTS = {"city"}
"""Logfire writes a function's arguments as attributes of their own names: a short text under a name nobody knows stays."""
IN_THE_ANSWER = {("mlflow", "Embeddings")}
"""Of these the figures stand in the content alone."""


def figures(span: Span) -> tuple[object, ...]:
    """Return what is counted and priced of a span."""
    if span.dialects and (span.dialects[0], span.name) in IN_THE_ANSWER:
        return (span.name,)
    return span.name, span.usage.input_tokens, span.usage.output_tokens, span.cost, span.session_id, span.status


@pytest.mark.parametrize("client", TRACES)
def test_nothing_that_was_said_is_left_and_every_figure_is(client: str) -> None:
    """Without content a client's spans hold no word of the conversation, and the same tokens, amounts and sessions."""
    whole = raws(client)
    bare = [strip_span(one)[0] for one in whole]
    left = msgspec.json.encode([without_names(one) for one in bare]).decode()

    assert [word for word in SAID if word in left] == []
    assert [figures(map_span("p", one, 7)) for one in bare] == [figures(map_span("p", one, 7)) for one in whole]


def without_names(raw: RawSpan) -> RawSpan:
    """Leave out a span's name and what stands under the names of a function's arguments."""
    kept = {key: value for key, value in raw.attributes.items() if key not in ARGUMENTS}
    return msgspec.structs.replace(raw, name="", attributes=kept)


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
