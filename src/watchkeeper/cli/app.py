"""The command line's root: verbs, and how errors are said."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import NoReturn

from watchkeeper.kit.errors import ConfigError, MissingExtraError, WatchkeeperError

__all__ = ["run"]


def run() -> None:
    """Parse the arguments and run the verb; exit codes: 0 good, 2 config, 103 infrastructure."""
    if find_spec("typer") is None:
        _lacks("the watchkeeper command")
    from watchkeeper.cli.verbs import application

    try:
        application()
    except WatchkeeperError as error:
        from watchkeeper.cli.terminal import stderr

        console = stderr()
        console.print("[bold red]error:[/]", end=" ")
        console.print(error.message, markup=False, highlight=False)
        if error.hint:
            console.print(f"  {error.hint}", markup=False, highlight=False, style="dim")
        sys.exit(2 if isinstance(error, ConfigError | MissingExtraError) else 103)
    except ModuleNotFoundError:
        if find_spec("fastapi") is not None:
            raise
        _lacks("this verb")  # an installation with the extra `mcp` alone


def _lacks(what: str) -> NoReturn:
    missing = MissingExtraError(what, "server")
    sys.stderr.write(f"error: {missing.message}\n  {missing.hint}\n")
    sys.exit(2)
