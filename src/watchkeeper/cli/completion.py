"""`watchkeeper completion`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer
from typer.completion import get_completion_script  # type: ignore[attr-defined]  # there, and not in its __all__

from watchkeeper.cli.terminal import stdout

__all__ = ["Shell", "completion"]


class Shell(StrEnum):
    """The shells that can be taught."""

    bash = "bash"
    zsh = "zsh"
    fish = "fish"


def completion(shell: Annotated[Shell, typer.Argument(help="The shell to teach.")]) -> None:
    """Print the script that completes verbs and options in a shell. (beta)

    Example: watchkeeper completion bash >> ~/.bashrc
    """
    script = get_completion_script(prog_name="watchkeeper", complete_var="_WATCHKEEPER_COMPLETE", shell=shell.value)
    stdout().print(script, markup=False)
