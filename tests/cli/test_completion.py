"""`watchkeeper completion`, asked by the shells themselves where they are here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import run


def _complete(folder: Path, words: str) -> list[str]:
    bash = shutil.which("bash")
    assert bash is not None
    program = folder / "watchkeeper"  # what an installation puts there
    program.write_text(f"#!{sys.executable}\nfrom watchkeeper.cli import main\n\nmain()\n")
    program.chmod(0o755)
    script = folder / "completion.sh"
    script.write_text(run("completion", "bash").stdout)
    asked = (
        'source "$SCRIPT"; f=$(complete -p watchkeeper | sed "s/.*-F \\([^ ]*\\) .*/\\1/"); '
        f"COMP_WORDS=(watchkeeper {words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); "
        '"$f" watchkeeper; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        [bash, "--norc", "-c", asked], capture_output=True, text=True, timeout=60, check=True,
        env={**os.environ, "SCRIPT": str(script), "PATH": f"{folder}:{os.environ['PATH']}"},
    )  # fmt: skip
    return done.stdout.split()


def test_bash_completes_verbs_and_options(tmp_path: Path) -> None:
    """A real bash completes the beginning of a verb, and the options of one."""
    assert _complete(tmp_path, "doc") == ["doctor"]
    assert "--remote" in _complete(tmp_path, "doctor --")
    assert "--url" in _complete(tmp_path, "mcp --")


@pytest.mark.parametrize(
    ("shell", "says"), [("zsh", "#compdef watchkeeper"), ("fish", "complete --command watchkeeper")]
)
def test_the_other_shells_have_a_script(shell: str, says: str) -> None:
    """zsh and fish get a script of their own kind."""
    assert says in run("completion", shell).stdout


def test_an_unknown_shell_is_refused() -> None:
    """A shell nobody wrote a script for ends with 2."""
    assert run("completion", "csh").returncode == 2
