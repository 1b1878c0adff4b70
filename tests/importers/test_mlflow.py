"""`watchkeeper import mlflow`: what is made of a real MLflow's answers and of the files its client writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conformance import cells
from tests.clients.offline import rows, told
from tests.importers.kept import Kept, Killed, unmarked
from tests.importers.places import FIXTURES, Replaying
from watchkeeper.importers import MLflow, MLflowFiles, Page, State, Summary, Window, run
from watchkeeper.importers.mlflow import put
from watchkeeper.kit.errors import ConfigError


def read(kept: Kept, state: State | None = None, experiment: str | None = None) -> Summary:
    """Import what the real MLflow answered when it was recorded."""
    source = MLflow(Replaying("mlflow"), Window(), experiment)
    return run(source, kept, state or State(None, {}), Window(), lambda *_: None)


def trace() -> dict[str, Any]:
    """Return the recorded trace: its info and spans."""
    found = json.loads((FIXTURES / "mlflow.json").read_text())
    whole = next(answer for path, answer in found.items() if "batchGet" in path)["traces"][0]
    return {"info": whole["trace_info"], "spans": whole["spans"]}


def test_the_rows_are_those_of_the_same_calls_sent_live() -> None:
    """Every cell is as if sent here, or more: no environment and release, but session, user, tags and MLflow's own costs."""
    kept = Kept("mlflow")
    done = read(kept)
    imported = cells(told("mlflow", list(kept.spans.values())), "openai")
    live = cells(rows("mlflow"), "openai")

    assert {cell[1] for cell in live if live[cell] != imported[cell]} == {
        "environment", "release", "tags", "cost", "session", "user",
    }  # fmt: skip
    assert (imported["ask", "session"][1], imported["ask", "user"][1]) == ("session-1", "user-1")
    assert imported["ask", "tags"][1] == "tag-a=yes, tag-b=yes"
    assert imported["ask", "cost"][1] == "provided 22200"
    assert (done.traces, done.spans, done.scores, done.skipped) == (1, 7, 2, {})


def test_assessments_become_scores() -> None:
    """Feedback becomes a score with who judged, a text as its label, and the same id every time."""
    kept, again = Kept("mlflow"), Kept("mlflow")
    read(kept)
    read(again)
    found = {one["name"]: one for one in kept.scores.values()}

    assert set(kept.scores) == set(again.scores)
    assert (found["helpful"]["value"], found["helpful"]["source"], found["helpful"]["evaluator"]) == (
        0.75,
        "judge",
        "ann",
    )
    assert (found["tone"]["label"], found["tone"]["source"], found["tone"]["comment"]) == ("friendly", "human", "so")
    assert {one["trace_id"] for one in found.values()} == {one.trace_id for one in kept.spans.values()}


def test_what_is_no_judgement_is_left_out_and_counted() -> None:
    """Expectations, overridden and failed assessments, and traces without spans are named with their place."""
    given = trace()
    given["info"]["assessments"] = [
        {"assessment_id": "a", "expectation": {"value": "x"}},
        {"assessment_id": "b", "feedback": {"value": 1}, "valid": False},
        {"assessment_id": "c", "feedback": {"error": {"error_code": "X"}}},
    ]
    page = Page()
    put(page, given, "weather-bot")
    put(page, {"info": {"trace_id": "tr-1"}, "spans": []}, "weather-bot")

    assert page.scores == []
    assert sorted(page.skipped) == [
        "a trace has no spans that can be had", "an assessment failed, and says nothing",
        "an assessment was overridden by another", "expectations and issues are not judgements",
    ]  # fmt: skip
    assert page.skipped["a trace has no spans that can be had"].first == "trace tr-1"


@pytest.mark.parametrize("dies_at", [1, 2])
def test_killed_anywhere_it_goes_on(dies_at: int, tmp_path: Path) -> None:
    """Killed after any page, the next run ends with all spans and scores, each counted once."""
    kept, path = Kept("mlflow", dies_at), tmp_path / "state.json"
    with pytest.raises(Killed):
        read(kept, State(path, {}))
    done = read(kept, State(path, {}))

    assert (done.traces, done.spans, done.scores) == (1, 7, 2)
    assert (len(kept.spans), len(kept.scores)) == (7, 2)


def test_a_file_of_its_client_gives_the_same(tmp_path: Path) -> None:
    """A trace written with `to_json`, whose attributes are JSON texts by key, gives the spans that the API gives."""
    api, kept, page = Kept("mlflow"), Kept("mlflow"), Page()
    read(api)
    given = trace()
    put(page, given, "weather-bot")
    for one, sent in zip(given["spans"], page.spans, strict=True):
        values = {pair["key"]: next(iter(pair["value"].values())) for pair in sent.span["attributes"]}
        one["attributes"] = {key: value for key, value in values.items() if key not in {"session.id", "user.id"}}
        one["events"] = [
            {
                **event,
                "attributes": {pair["key"]: next(iter(pair["value"].values())) for pair in event.get("attributes", ())},
            }
            for event in one.get("events", ())
        ]
    path = tmp_path / "traces.jsonl"
    path.write_text(json.dumps({"info": given["info"], "data": {"spans": given["spans"]}}) + '\n{"hello": 1}\n')
    done = run(MLflowFiles(path, Window(), "weather-bot"), kept, State(None, {}), Window(), lambda *_: None)

    assert unmarked(kept.spans.values(), "mlflow") == unmarked(api.spans.values(), "mlflow")
    assert [*done.skipped] == ["not a trace of MLflow: no info and data"]


def test_an_experiment_that_is_not_there_is_named() -> None:
    """Asking for an experiment that MLflow does not have is an error with its name."""
    with pytest.raises(ConfigError, match="no experiment 'nothing'"):
        read(Kept("mlflow"), experiment="nothing")
