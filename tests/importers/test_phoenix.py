"""`watchkeeper import phoenix`: what is made of a real Phoenix's answers and of the files its client writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conformance import cells
from tests.clients.offline import rows, told
from tests.importers.kept import Kept, Killed, unmarked
from tests.importers.places import ASK, FIXTURES, SESSION, TRACE, Replaying
from tests.ingest.recorded import raws
from watchkeeper.importers import Phoenix, PhoenixFiles, State, Summary, Window, run
from watchkeeper.kit.errors import ConfigError


def read(kept: Kept, state: State | None = None, project: str | None = None) -> Summary:
    """Import what the real Phoenix answered when it was recorded."""
    source = Phoenix(Replaying("phoenix"), Window(), project)
    return run(source, kept, state or State(None, {}), Window(), lambda *_: None)


def test_the_rows_are_those_of_the_same_spans_sent_live() -> None:
    """Every cell is as if sent here, but environment and release, which Phoenix does not keep; its project is the service."""
    kept = Kept("phoenix")
    done = read(kept)
    imported = cells(told("phoenix", list(kept.spans.values())), "openai")
    live = cells(rows("phoenix"), "openai")

    assert {cell[1] for cell in live if live[cell] != imported[cell]} == {"environment", "release"}
    assert (done.traces, done.spans, done.scores, done.skipped) == (1, 7, 6, {})


def test_times_names_and_parents_are_kept() -> None:
    """Ids, parents, names, status and events are the same; times to the microsecond, which is what Phoenix keeps."""
    kept = Kept("phoenix")
    read(kept)

    def shape(one: Any) -> tuple[Any, ...]:
        ids = one.trace_id, one.span_id, one.parent_span_id
        return (*ids, one.name, one.status_code, one.status_message, [event.name for event in one.events])

    imported = sorted(unmarked(kept.spans.values(), "phoenix"), key=lambda one: one.span_id)
    live = sorted(raws("phoenix"), key=lambda one: one.span_id)
    apart = [abs(getattr(one, at) - getattr(other, at)) for one, other in zip(imported, live, strict=True)
             for at in ("start_time", "end_time")]  # fmt: skip

    assert [*map(shape, imported)] == [*map(shape, live)]
    assert max(apart) < 1_000


def test_annotations_become_scores() -> None:
    """Annotations of spans, traces and sessions become scores, with who judged, and the same id every time."""
    kept, again = Kept("phoenix"), Kept("phoenix")
    read(kept)
    read(again)
    found = {(one.get("span_id"), one.get("session_id"), one["source"]): one for one in kept.scores.values()}
    judged = found[ASK, None, "judge"]

    assert set(kept.scores) == set(again.scores)
    assert set(found) == {
        (about, session, who)
        for about, session in ((ASK, None), (None, None), (None, SESSION))
        for who in ("judge", "human")
    }
    assert {key: judged[key] for key in ("name", "value", "label", "comment", "trace_id")} == {
        "name": "helpful", "value": 0.75, "label": "good", "comment": "about the span", "trace_id": TRACE,
    }  # fmt: skip


@pytest.mark.parametrize("dies_at", [1, 2, 3])
def test_killed_anywhere_it_goes_on(dies_at: int, tmp_path: Path) -> None:
    """Killed after any page, the next run ends with all spans and scores, each counted once."""
    kept, path = Kept("phoenix", dies_at), tmp_path / "state.json"
    with pytest.raises(Killed):
        read(kept, State(path, {}))
    done = read(kept, State(path, {}))

    assert (done.traces, done.spans, done.scores) == (1, 7, 6)
    assert (len(kept.spans), len(kept.scores)) == (7, 6)


def test_a_project_that_is_not_there_is_named() -> None:
    """Asking for a project that Phoenix does not have is an error with its name."""
    with pytest.raises(ConfigError, match="no project 'nothing'"):
        read(Kept("phoenix"), project="nothing")


def test_a_file_of_its_dataframe_gives_the_same(tmp_path: Path) -> None:
    """Rows of the client's dataframe, written as JSON lines, give the cells that the API's spans give."""
    found = json.loads((FIXTURES / "phoenix.json").read_text())
    spans = [one for path, answer in found.items() if "/spans?trace_id" in path for one in answer["data"]]
    lines = [{**one, "context.trace_id": one["context"]["trace_id"], "context.span_id": one["context"]["span_id"],
              **{f"attributes.{key}": value for key, value in one["attributes"].items()}} for one in spans]  # fmt: skip
    for one in lines:
        del one["context"], one["attributes"]
        one["attributes.openinference.span.kind"] = one["span_kind"]
    path = tmp_path / "spans.jsonl"
    path.write_text("\n".join(map(json.dumps, [*lines, {"hello": 1}])))
    api, kept = Kept("phoenix"), Kept("phoenix")
    read(api)
    done = run(PhoenixFiles(path, Window(), "weather-bot"), kept, State(None, {}), Window(), lambda *_: None)

    assert unmarked(kept.spans.values(), "phoenix") == unmarked(api.spans.values(), "phoenix")
    assert [*done.skipped] == ["not a span of Phoenix: no context.trace_id"]
