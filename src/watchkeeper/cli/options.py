"""Options that several verbs take, said once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

__all__ = ["DataDir", "Json", "Url"]

DataDir: TypeAlias = Annotated[
    Path | None, typer.Option(help="Data folder; its running server is asked, else it is opened.")
]
Url: TypeAlias = Annotated[str | None, typer.Option(help="Ask this server instead.")]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON.")]
