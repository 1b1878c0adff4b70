"""`watchkeeper doctor`, run as a person runs it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.cli.conftest import run
from tests.serving import Served, free_port, serving
from watchkeeper.doctor import RULES
from watchkeeper.doctor.examine import _guarded
from watchkeeper.doctor.findings import Finding

ROOT = Path(__file__).parents[2]


def test_it_prints_findings_and_their_mending(tmp_path: Path) -> None:
    """A failure is printed with its id, place and command, a summary ends it, and the exit code is 2."""
    done = run("doctor", "--data-dir", str(tmp_path / "new"), WATCHKEEPER_HOST="192.0.2.1")

    assert done.returncode == 2
    assert re.search(r"^fail WKD121 listening address", done.stdout, re.MULTILINE)
    assert "mend: export WATCHKEEPER_SECRET_KEY=" in done.stdout
    assert re.search(r"^\d+ failing, \d+ to look at, \d+ well$", done.stdout.splitlines()[-1])
    assert "\x1b[" not in done.stdout


def test_quiet_leaves_out_what_is_well(tmp_path: Path) -> None:
    """--quiet prints what is wrong and the summary alone."""
    words = ("doctor", "--quiet", "--data-dir", str(tmp_path / "new"), "--url", f"http://127.0.0.1:{free_port()}")
    done = run(*words)

    assert done.returncode == 103
    assert "ok   WKD" not in done.stdout
    assert "fail WKD401" in done.stdout


def test_it_has_colour_where_colour_is_wanted(tmp_path: Path) -> None:
    """On a terminal severities are coloured; with NO_COLOR they are not."""
    command = [sys.executable, "-m", "watchkeeper.cli", "doctor", "--data-dir", str(tmp_path / "new")]
    plain = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | {"TERM": "xterm-256color"}
    coloured, bare = (
        subprocess.run(command, env=plain | more, capture_output=True, text=True, timeout=60, check=False).stdout
        for more in ({"FORCE_COLOR": "1"}, {"FORCE_COLOR": "1", "NO_COLOR": "1"})
    )

    assert "\x1b[32mok" in coloured
    assert "\x1b[32m" not in bare


def test_json_is_for_programs(served: tuple[Served, Path]) -> None:
    """--json has the version, the exit code, the counts and every finding with its five fields."""
    server, folder = served
    done = run("doctor", "--json", "--data-dir", str(folder), "--url", server.url)
    told = json.loads(done.stdout)

    assert told["exit_code"] == done.returncode == 0
    assert sum(told["summary"].values()) == len(told["findings"])
    assert all(set(one) == {"id", "severity", "check", "what", "where", "mend"} for one in told["findings"])


def test_nothing_is_sent_unless_asked(served: tuple[Served, Path]) -> None:
    """Without --send no span arrives; with it one does, of the service watchkeeper-doctor, and is read again."""
    server, folder = served
    words = ("doctor", "--json", "--data-dir", str(folder), "--url", server.url)
    question = "select count(*) from spans where service = 'watchkeeper-doctor'"
    run(*words)
    before = server.sql(question)[1]["rows"]
    told = {one["id"]: one for one in json.loads(run(*words, "--send").stdout)["findings"]}

    assert before == [[0]]
    assert server.sql(question)[1]["rows"] == [[1]]
    assert "sent and acknowledged" in told["WKD010"]["what"]


def test_a_span_that_is_not_taken_fails(served: tuple[Served, Path], tmp_path: Path) -> None:
    """--send against a key the server does not know fails as not acknowledged, and ends."""
    server, folder = served
    done = run(
        "doctor",
        "--json",
        "--send",
        "--data-dir",
        str(folder),
        "--url",
        server.url,
        WATCHKEEPER_API_KEY="sk-wrong-wrong",
    )
    told = {one["id"] for one in json.loads(done.stdout)["findings"]}

    assert {"WKD011", "WKD302"} <= told
    assert done.returncode == 103


def test_every_failure_says_how_to_mend_it() -> None:
    """Each rule has an id of its group, and each that is not well has a mending; ids are unique by construction."""
    assert all(re.fullmatch(r"WKD\d{3}", name) and rule.id == name for name, rule in RULES.items())
    assert [one.id for one in RULES.values() if one.severity != "ok" and not one.mend] == []


def test_the_page_lists_every_rule() -> None:
    """The table in the documentation names every finding that is possible."""
    page = (ROOT / "docs/operations/doctor.md").read_text()

    assert set(re.findall(r"^\| (WKD\d{3}) ", page, re.MULTILINE)) == set(RULES)


def test_every_rule_is_made_by_some_test() -> None:
    """No finding that can go wrong is untested."""
    tests = "".join(one.read_text() for one in Path(__file__).parent.glob("test_*.py"))

    assert {one.id for one in RULES.values() if one.severity != "ok"} <= set(re.findall(r"WKD\d{3}", tests))


def test_a_check_that_breaks_is_a_finding() -> None:
    """A fault of our own is one finding more (WKD001), not the end of the examination."""

    def broken() -> Iterator[Finding]:
        yield RULES["WKD100"].found("here")
        raise LookupError("ours")

    told = list(_guarded("watchkeeper.doctor.ports", broken()))

    assert [(one.id, one.where) for one in told] == [("WKD100", "here"), ("WKD001", "ports")]


def test_one_that_runs_leaves_no_trace(tmp_path: Path) -> None:
    """Looking at a folder that does not exist makes none."""
    run("doctor", "--data-dir", str(tmp_path / "new"))

    assert list(tmp_path.iterdir()) == []


def test_serving_is_not_disturbed(tmp_path: Path) -> None:
    """Doctor looks while a server starts and stops, and takes none of its locks."""
    with serving(tmp_path):
        assert run("doctor", "--data-dir", str(tmp_path / "data")).returncode in {0, 103}
    assert run("sql", "select 1", "--data-dir", str(tmp_path / "data")).returncode == 0
