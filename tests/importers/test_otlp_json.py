"""`watchkeeper import otlp-json`: what its reader makes of files."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.importers.kept import Kept, Killed, unmarked
from tests.ingest.recorded import as_json, body, raws
from tests.otlp import request, span
from watchkeeper.importers import OtlpJson, State, Summary, Window, run
from watchkeeper.kit.errors import ConfigError


def read(path: Path, window: Window | None = None, kept: Kept | None = None, state: State | None = None) -> Summary:
    """Import a file or folder."""
    wanted = window or Window()
    delivery = kept or Kept("otlp-json")
    return run(OtlpJson(path, wanted), delivery, state or State(None, {}), wanted, lambda *_: None)


def line(number: int, **fields: Any) -> bytes:
    """Return one export with one span."""
    told = request(span(trace_id=f"{number:032x}", span_id=f"{number:016x}", **fields))
    return as_json(told.SerializeToString())


@pytest.mark.parametrize("written", [{}, {"snake": True}, {"base64_ids": True}])
@pytest.mark.parametrize("packed", ["", ".gz"])
def test_what_is_imported_is_what_was_sent(written: dict[str, bool], packed: str, tmp_path: Path) -> None:
    """A recorded conversation in a file gives the spans that it gives live, however it is written."""
    text = as_json(body("phoenix"), **written)
    path = tmp_path / f"x.json{packed}"
    path.write_bytes(gzip.compress(text) if packed else text)
    kept = Kept("otlp-json")
    done = read(path, kept=kept)
    live = sorted(raws("phoenix"), key=lambda one: (one.start_time, one.span_id))

    assert unmarked(kept.spans.values(), "otlp-json") == live
    assert (done.traces, done.spans, done.skipped) == (1, len(live), {})


def test_pretty_and_listed_exports_are_read(tmp_path: Path) -> None:
    """An indented export, a list of exports and bare resourceSpans are read too, and a folder is searched."""
    (tmp_path / "a.json").write_text(json.dumps(json.loads(line(1)), indent=2))
    (tmp_path / "b.json").write_bytes(b"[" + line(2) + b"," + line(3) + b"]")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "c.jsonl").write_text(json.dumps(json.loads(line(4))["resourceSpans"][0]) + "\n")
    (tmp_path / "d.json").write_bytes(line(5).replace(b"resourceSpans", b"batches"))  # as Tempo's API answers
    kept = Kept("otlp-json")

    assert read(tmp_path, kept=kept).spans == 5
    assert {one.trace_id[-1] for one in kept.spans.values()} == {"1", "2", "3", "4", "5"}


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A broken line, a strange object and metrics are counted with file and line, and cost the rest nothing."""
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"\n".join([line(1), b'{"resourceSpans":[', b'{"hello":1}', b'{"resourceMetrics":[]}', line(2)]))
    done = read(path)

    assert done.spans == 2
    assert {reason: (one.count, one.first) for reason, one in done.skipped.items()} == {
        "not JSON": (1, f"{path}:2"),
        "not an OTLP export: no resourceSpans": (1, f"{path}:3"),
        "metrics are not stored": (1, f"{path}:4"),
    }


def test_a_file_cut_short_keeps_what_was_whole(tmp_path: Path) -> None:
    """A gzipped file whose end is missing gives the spans before, and says so."""
    path = tmp_path / "x.jsonl.gz"
    whole = gzip.compress(b"\n".join(line(number, name=str(number) * 300) for number in range(1, 40)))
    path.write_bytes(whole[: len(whole) // 2])
    done = read(path)

    assert 0 < done.spans < 39
    assert "the file ends in the middle of its compression" in done.skipped


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [("x.json", b"\x00\x00\x01\x07{", "is not JSON"), ("x.txt", None, "there is no"), ("dir", None, "there is no")],
)
def test_a_file_that_is_none_is_refused(name: str, content: bytes | None, says: str, tmp_path: Path) -> None:
    """A missing or binary file is an error that says how to mend it."""
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError, match=says) as raised:
        read(tmp_path / name)

    assert raised.value.hint


def test_times_and_a_limit_choose(tmp_path: Path) -> None:
    """Spans outside the times are left out and counted, and a limit is one of traces."""
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"\n".join(line(number, start=number * 10, end=number * 10 + 1) for number in range(1, 6)))

    assert read(path, Window(since=20, until=40)).spans == 2
    assert read(path, Window(since=20, until=40)).skipped["outside --since and --until"].count == 3
    assert read(path, Window(limit=2)).traces == 2


@pytest.mark.parametrize("dies_at", [1, 2, 3])
def test_killed_anywhere_nothing_is_lost_or_doubled(dies_at: int, tmp_path: Path) -> None:
    """Killed between a page's delivery and its note, the next run ends with every span once, and the counts right."""
    path, state = tmp_path / "x.jsonl", tmp_path / "state.json"
    path.write_bytes(b"\n".join(line(number) for number in range(1, 1_201)))
    kept = Kept("otlp-json", dies_at)
    with pytest.raises(Killed):
        read(path, kept=kept, state=State(state, {"n": 1}))
    done = read(path, kept=kept, state=State(state, {"n": 1}))

    assert len(kept.spans) == 1_200
    assert (done.traces, done.spans, done.resumed) == (1_200, 1_200, dies_at > 1)
    assert not state.exists()


def test_a_state_of_another_import_is_refused(tmp_path: Path) -> None:
    """A state file that belongs to another import, or is damaged, is an error and not taken for this one's."""
    state = tmp_path / "state.json"
    State(state, {"n": 1}).save()
    with pytest.raises(ConfigError, match="another import"):
        State(state, {"n": 2})
    state.write_text("{")
    with pytest.raises(ConfigError, match="damaged"):
        State(state, {"n": 1})


def test_log_records_go_along(tmp_path: Path) -> None:
    """Log records beside the spans are brought along, and with a limit, which tells no traces of them, left out and counted."""
    path = tmp_path / "x.jsonl"
    record = {"traceId": f"{1:032x}", "spanId": f"{1:016x}", "body": {"stringValue": "x"}}
    path.write_bytes(
        line(1) + b"\n" + json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}).encode()
    )
    kept = Kept("otlp-json")
    whole, limited = read(path, kept=kept), read(path, Window(limit=1))

    assert (whole.logs, len(kept.logs), limited.logs) == (1, 1, 0)
    assert [*limited.skipped] == ["log records are not brought along with --limit"]
