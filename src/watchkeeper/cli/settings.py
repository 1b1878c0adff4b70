"""`watchkeeper settings`."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from watchkeeper.cli.options import Json
from watchkeeper.cli.terminal import stdout
from watchkeeper.kit.settings import SdkSettings, ServerSettings, describe, names, read

__all__ = ["settings"]

_SECRET = ("secret", "password", "api_key", "headers")


def settings(
    sdk: Annotated[bool, typer.Option("--sdk", help="Those of the SDK, not the server's.")] = False,
    as_json: Json = False,
) -> None:
    """List every setting, what it is set to here, and what it does. (beta)

    Secrets are shown as set or not. Exits with 2 where a variable does not parse.
    """
    kind: type[Any] = SdkSettings if sdk else ServerSettings
    now, bare = read(kind), kind()
    rows = []
    for name, (variable, text, default) in zip(names(kind), describe(kind), strict=True):
        value = getattr(now, name)
        is_set = value != getattr(bare, name)
        shown = "(set)" if is_set and any(word in name for word in _SECRET) else None if value is None else str(value)
        rows.append({"variable": variable, "value": shown, "set": is_set, "default": default or None, "meaning": text})
    if as_json:
        stdout().print(json.dumps(rows), markup=False)
        return
    table = Table(header_style="bold", box=None, pad_edge=False)
    table.add_column("variable", no_wrap=True)
    table.add_column("value", overflow="fold", max_width=28)
    table.add_column("meaning", overflow="fold")
    for row in rows:
        value = escape(row["value"] or "")
        table.add_row(
            row["variable"], f"[bold]{value}[/]" if row["set"] else f"[dim]{value}[/]", escape(row["meaning"])
        )
    stdout().print(table)
