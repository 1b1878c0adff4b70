"""`watchkeeper import langfuse`: both generations of its API, spoken by a loopback server, and the files it exports."""

from __future__ import annotations

import csv
import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conformance import cells
from tests.clients.offline import rows, told
from tests.importers.fake_langfuse import KEYS, FakeLangfuse
from tests.importers.kept import Kept, Killed, unmarked
from tests.importers.places import FIXTURES
from watchkeeper.importers import Client, Langfuse, LangfuseFiles, Page, State, Summary, Window, run
from watchkeeper.importers.langfuse_rows import put_score, put_trace
from watchkeeper.ingest import span_id_of, trace_id_of
from watchkeeper.kit.errors import ConfigError

SPANS = json.loads((FIXTURES / "langfuse5.json").read_text())["v2/observations"]["data"]


@pytest.fixture(params=[3, 4])
def server(request: pytest.FixtureRequest) -> Iterator[FakeLangfuse]:
    """A server of each generation."""
    fake = FakeLangfuse(request.param)
    yield fake
    fake.shutdown()
    fake.server_close()


def read(
    server: FakeLangfuse,
    kept: Kept,
    state: State | None = None,
    window: Window | None = None,
    keys: tuple[str, str] = KEYS,
) -> Summary:
    """Import all that a server tells."""
    headers = {"Authorization": "Basic " + b64encode(":".join(keys).encode()).decode()}
    client = Client(server.url, headers, whose="Langfuse", key_hint="set the keys", sleep=lambda _: None)
    wanted = window or Window()
    return run(Langfuse(client, wanted), kept, state or State(None, {}), wanted, lambda *_: None)


def test_the_rows_are_those_of_the_same_calls_sent_live(server: FakeLangfuse) -> None:
    """Every cell is as if the SDK had sent it here, but the costs, which are those that Langfuse tells."""
    kept = Kept("langfuse")
    done = read(server, kept)
    imported = cells(told("langfuse5", list(kept.spans.values())), "openai")
    live = cells(rows("langfuse5"), "openai")

    assert {cell: imported[cell] for cell in live if live[cell] != imported[cell]} == {
        (call, "cost"): ("computed 22200", "provided 22200") for call in ("ask", "answer", "stream")
    }
    assert (done.traces, done.spans, done.scores, done.skipped) == (1, 7, 3, {})


def test_scores_keep_their_ids_and_kinds(server: FakeLangfuse) -> None:
    """Scores of a span, a trace and a session come with their own ids, from either version of the list."""
    kept = Kept("langfuse")
    read(server, kept)
    trace, span = SPANS[1]["traceId"], SPANS[1]["id"]
    common = {"comment": "so", "time": "2026-11-26T12:00:00.000000000Z"}

    assert kept.scores["s1"] == {
        **common, "id": "s1", "name": "helpful", "value": 0.75, "trace_id": trace, "span_id": span, "source": "judge",
    }  # fmt: skip
    assert kept.scores["s2"]["label"] == "friendly"
    assert kept.scores["s2"]["source"] == "human"
    assert kept.scores["s3"] == {
        **common, "id": "s3", "name": "solved", "value": 1.0, "label": "true", "session_id": "session-1", "source": "api",
    }  # fmt: skip


def test_a_busy_server_is_asked_again(server: FakeLangfuse) -> None:
    """Each path is refused with 429 once, and asked again; pages are followed to their end."""
    read(server, Kept("langfuse"))
    paths = [path for path, _ in server.asked]

    assert paths.count("projects") == 2
    assert ("v2/observations" in server.answers) == (paths.count("v2/observations") > 4)


@pytest.mark.parametrize("dies_at", [1, 2, 3])
def test_killed_anywhere_it_goes_on(dies_at: int, server: FakeLangfuse, tmp_path: Path) -> None:
    """Killed after any page, the next run ends with all spans and scores, each counted once."""
    kept, path = Kept("langfuse", dies_at), tmp_path / "state.json"
    try:
        read(server, kept, State(path, {}))
    except Killed:
        done = read(server, kept, State(path, {}))
        assert (done.traces, done.spans, done.scores) == (1, 7, 3)
    assert (len(kept.spans), len(kept.scores)) == (7, 3)


def test_a_limit_brings_whole_traces(server: FakeLangfuse) -> None:
    """A limit of one trace brings all of its spans, and the scores about it and of sessions."""
    kept = Kept("langfuse")
    done = read(server, kept, window=Window(limit=1))

    assert (done.traces, done.spans) == (1, 7)


def test_a_refused_key_says_which_to_set(server: FakeLangfuse) -> None:
    """Wrong keys are an error with what the server said and what to set."""
    with pytest.raises(ConfigError, match="Invalid credentials") as raised:
        read(server, Kept("langfuse"), keys=("pk", "no"))

    assert raised.value.hint == "set the keys"


def test_exported_files_give_the_same(tmp_path: Path) -> None:
    """JSON lines in snake_case and CSV give the spans and scores of the API, and what is no row is named."""
    api, lines, table = Kept("langfuse"), Kept("langfuse"), Kept("langfuse")
    fake = FakeLangfuse(4)
    read(fake, api)
    fake.shutdown()
    fake.server_close()
    snake = [
        {"".join(f"_{one.lower()}" if one.isupper() else one for one in key): row[key] for key in row} for row in SPANS
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, [*snake, {"hello": 1}])))
    with (tmp_path / "b.csv").open("w", newline="") as out:
        writer = csv.DictWriter(out, sorted({key for row in SPANS for key in row}))
        writer.writeheader()
        writer.writerows(
            {key: value if isinstance(value, str | None) else json.dumps(value) for key, value in row.items()}
            for row in SPANS
        )
    done = [
        run(LangfuseFiles(tmp_path / name, Window(), "bot"), kept, State(None, {}), Window(), lambda *_: None)
        for name, kept in (("a.jsonl", lines), ("b.csv", table))
    ]

    assert [*done[0].skipped] == ["not a row of Langfuse: no id, or neither startTime nor timestamp"]
    assert unmarked(lines.spans.values(), "langfuse") == unmarked(api.spans.values(), "langfuse")
    assert unmarked(table.spans.values(), "langfuse") == unmarked(api.spans.values(), "langfuse")


def test_a_trace_without_one_top_gets_a_span_of_its_own() -> None:
    """What older SDKs sent: observations side by side, ids that are no OTel ids; a span for the trace stands above them."""
    page = Page()
    given: dict[str, Any] = {
        "id": "my trace",
        "timestamp": "2026-01-01T00:00:00Z",
        "name": "n",
        "input": {"a": 1},
        "userId": "u",
    }
    at = "2026-01-01T00:00:0{}Z"
    given["observations"] = [
        {"id": f"o{number}", "type": "SPAN", "startTime": at.format(number), "endTime": at.format(number + 1)}
        for number in (1, 2)
    ]
    put_trace(page, given, "bot")
    kept = Kept("langfuse")
    kept.page(page)
    root, *rest = unmarked(kept.spans.values(), "langfuse")

    assert {one.trace_id for one in (root, *rest)} == {trace_id_of("my trace")}
    assert [one.span_id for one in rest] == [span_id_of("o1"), span_id_of("o2")]
    assert {one.parent_span_id for one in rest} == {root.span_id}
    assert (root.name, root.attributes["user.id"], root.end_time) == ("n", "u", rest[-1].end_time)


def test_what_is_about_a_dataset_run_is_left_out() -> None:
    """A score of a dataset's run has nothing here that it is about, and is counted."""
    page = Page()
    put_score(page, {"id": "s", "name": "n", "value": 1, "datasetRunId": "r"})
    put_score(page, {"id": "t", "name": "n", "value": 1, "subject": {"kind": "experiment", "id": "r"}})

    assert page.scores == []
    assert page.skipped["scores of dataset runs are not stored"].count == 2
