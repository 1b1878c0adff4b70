"""The command line, run as a person runs it."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import export, run


def test_an_unknown_verb_says_so() -> None:
    """A verb that does not exist ends with 2 and names the help."""
    done = run("sevre")

    assert done.returncode == 2
    assert "No such command" in done.stderr


def test_a_verb_without_its_packages_names_the_extra(tmp_path: Path) -> None:
    """With the extra `mcp` alone, a verb that needs the server's packages ends with 2 and the line that installs them."""
    code = (
        "import sys; sys.modules['fastapi'] = sys.modules['duckdb'] = None; "
        f"sys.argv = ['watchkeeper', 'serve', '--data-dir', {str(tmp_path)!r}]; "
        "from watchkeeper.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 2
    assert "watchkeeper[server]" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_bad_variable_is_named() -> None:
    """A setting that does not parse ends with 2, one sentence and no traceback."""
    done = run("serve", WATCHKEEPER_PORT="seventy")

    assert done.returncode == 2
    assert "WATCHKEEPER_PORT" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    """A port in use ends with 2 and says which option chooses another."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = run("serve", "--port", str(taken.getsockname()[1]), "--data-dir", str(tmp_path))

    assert done.returncode == 2
    assert "--port" in done.stderr


def test_a_second_server_on_the_folder_is_refused(server: tuple[str, Path, subprocess.Popen[str]]) -> None:
    """A folder in use ends with 103 and says where its server answers."""
    url, folder, _ = server
    done = run("serve", "--port", "0", "--grpc-port", "0", "--data-dir", str(folder))

    assert done.returncode == 103
    assert url in " ".join(done.stderr.split())


def test_sql_refuses_what_is_no_select(server: tuple[str, Path, subprocess.Popen[str]]) -> None:
    """A statement that is no SELECT ends with an error and a reason."""
    done = run("sql", "drop table spans", "--data-dir", str(server[1]))

    assert done.returncode == 103
    assert "only SELECT is allowed" in done.stderr


def test_sql_asks_the_running_server_and_then_the_folder(server: tuple[str, Path, subprocess.Popen[str]]) -> None:
    """The same query answers alike while the server runs and after it was killed: what was acknowledged is there."""
    url, folder, child = server
    export(url)
    words = ("sql", "select model, cost_nano_usd from spans", "--json", "--data-dir", str(folder))
    while_running = json.loads(run(*words).stdout)
    child.kill()
    child.wait()
    after = json.loads(run(*words).stdout)

    assert while_running == after
    assert after["rows"] == [["gpt-4o-mini-2024-07-18", 420000]]


def test_sql_prints_a_table_and_csv(server: tuple[str, Path, subprocess.Popen[str]]) -> None:
    """Rows come as a table by default and as CSV when asked."""
    export(server[0])
    words = ("sql", "select name, input_tokens from spans", "--url", server[0])

    assert run(*words).stdout.split() == ["name", "input_tokens", "chat", "gpt-4o-mini", "1000"]
    assert run(*words, "-f", "csv").stdout == "name,input_tokens\nchat gpt-4o-mini,1000\n"


def test_sigterm_drains(server: tuple[str, Path, subprocess.Popen[str]]) -> None:
    """SIGTERM ends the server with exit code 0 and leaves no lock behind."""
    url, folder, child = server
    export(url)
    child.send_signal(signal.SIGTERM)

    assert child.wait(30) == 0
    assert (folder / "server.lock").read_text() == ""


def test_version_prints_json() -> None:
    """`version --json` names our version and those of the parts."""
    found = json.loads(run("version", "--json").stdout)

    assert found["watchkeeper"]
    assert found["duckdb"]


@pytest.mark.parametrize(
    "verb",
    [
        "serve",
        "demo",
        "sql",
        "erase",
        "doctor",
        "version",
        "keys",
        "keys create",
        "keys list",
        "keys rotate",
        "keys revoke",
    ],
)
def test_every_verb_has_help_with_a_label(verb: str) -> None:
    """Each verb's help says what it does and whether it is stable or beta."""
    text = run(*verb.split(), "--help").stdout

    assert "(beta)" in text or "(stable)" in text


def test_settings_are_listed_without_their_secrets() -> None:
    """Every variable is there with what it is set to; a secret is only said to be set, and a wrong one is named."""
    secret = "sk-never-shown-0123456789"
    rows = json.loads(run("settings", "--json", WATCHKEEPER_SECRET_KEY=secret, WATCHKEEPER_PORT="7171").stdout)
    table = run("settings", WATCHKEEPER_SECRET_KEY=secret).stdout
    found = {row["variable"]: row for row in rows}
    wrong = run("settings", WATCHKEEPER_PORT="many")

    assert (found["WATCHKEEPER_PORT"]["value"], found["WATCHKEEPER_PORT"]["set"]) == ("7171", True)
    assert (found["WATCHKEEPER_SECRET_KEY"]["value"], found["WATCHKEEPER_HOST"]["set"]) == ("(set)", False)
    assert secret not in json.dumps(rows) + table
    assert (wrong.returncode, "WATCHKEEPER_PORT" in wrong.stderr) == (2, True)
