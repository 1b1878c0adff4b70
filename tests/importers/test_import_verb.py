"""`watchkeeper import`, run as a person runs it, into a real server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import COMMAND, run
from tests.importers.places import mlflow, phoenix
from tests.importers.test_otlp_json import line
from tests.ingest.recorded import as_json, body
from tests.serving import Served, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with two projects."""
    with serving(tmp_path_factory.mktemp("import"), projects=("talk", "many", "phoenix", "mlflow")) as served:
        yield served


def test_a_recorded_conversation_arrives(server: Served, tmp_path: Path) -> None:
    """A dry run sends nothing; the import stores the spans with their mark, and again it stores nothing twice."""
    path = tmp_path / "traces.json"
    path.write_bytes(as_json(body("phoenix")))
    words = ("import", "otlp-json", str(path), "--url", server.url, "--json", "--data-dir", str(tmp_path / "data"))
    mine = {"WATCHKEEPER_API_KEY": server.keys["talk"]}
    count = "SELECT count(*), count(DISTINCT trace_id) FROM spans"
    tried = json.loads(run(*words, "--dry-run", **mine).stdout)
    before = server.sql(count, "talk")[1]["rows"]
    done = [json.loads(run(*words, **mine).stdout) for _ in range(2)]
    spans = tried["spans"]

    assert before == [[0, 0]]
    assert [{**one, "dry_run": True} for one in done] == [tried, tried]
    assert server.sql(count, "talk")[1]["rows"] == [[spans, 1]]
    assert (tried["traces"], tried["scores"], tried["skipped"]) == (1, 0, [])


@pytest.mark.slow
def test_killed_and_run_again_nothing_is_lost_or_doubled(server: Served, tmp_path: Path) -> None:
    """After kill -9 in the middle the same command goes on, and ends with every span once."""
    path, state = tmp_path / "traces.jsonl", tmp_path / "state.json"
    path.write_bytes(b"\n".join(line(number) for number in range(1, 8_001)))
    words = ("import", "otlp-json", str(path), "--url", server.url, "--json", "--state", str(state))
    mine = {"WATCHKEEPER_API_KEY": server.keys["many"]}
    with subprocess.Popen([*COMMAND, *words], env={**os.environ, **mine}, stdout=subprocess.DEVNULL) as child:
        while child.poll() is None and not state.exists():
            pass
        child.send_signal(signal.SIGKILL)
    interrupted = state.exists()
    done: dict[str, Any] = json.loads(run(*words, **mine).stdout)
    stored = server.sql("SELECT count(*), count(DISTINCT span_id) FROM spans", "many")[1]["rows"]

    assert stored == [[8_000, 8_000]]
    assert (done["traces"], done["spans"], done["resumed"]) == (8_000, 8_000, interrupted)
    assert not state.exists()


def test_errors_say_what_to_do(server: Served, tmp_path: Path) -> None:
    """A missing file, a wrong key and a server that is not there end the verb, each with what mends it."""
    path = tmp_path / "x.jsonl"
    path.write_bytes(line(1))
    missing = run("import", "otlp-json", str(tmp_path / "nothing"), "--url", server.url)
    refused = run(
        "import",
        "otlp-json",
        str(path),
        "--url",
        server.url,
        "--state",
        str(tmp_path / "s"),
        WATCHKEEPER_API_KEY="sk-no",
    )
    nobody = run("import", "otlp-json", str(path), "--data-dir", str(tmp_path / "data"))

    assert (missing.returncode, refused.returncode, nobody.returncode) == (2, 2, 103)
    assert "name a file" in missing.stderr
    assert "scope ingest" in refused.stderr
    assert "watchkeeper serve" in nobody.stderr


@pytest.mark.slow
@pytest.mark.parametrize(("tool", "scores"), [("phoenix", 6), ("mlflow", 2)])
def test_the_real_tool_is_imported(tool: str, scores: int, server: Served, tmp_path: Path) -> None:
    """What a running Phoenix or MLflow holds arrives, spans and judgements, and a second import changes nothing."""
    count = "SELECT count(*), count(DISTINCT span_id), count(DISTINCT trace_id), min(service) FROM spans"
    with {"phoenix": phoenix, "mlflow": mlflow}[tool]() as url:
        words = ("import", tool, url, "--url", server.url, "--json", "--data-dir", str(tmp_path / "data"))
        mine = {"WATCHKEEPER_API_KEY": server.keys[tool]}
        first, second = (json.loads(run(*words, **mine).stdout) for _ in range(2))

    assert (first["traces"], first["spans"], first["scores"], first["skipped"]) == (1, 7, scores, [])
    assert second == first
    assert server.sql(count, tool)[1]["rows"] == [[7, 7, 1, "weather-bot"]]
    assert server.sql("SELECT count(*) FROM scores", tool)[1]["rows"] == [[scores]]
