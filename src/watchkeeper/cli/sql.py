"""`watchkeeper sql`."""

from __future__ import annotations

import csv
import io
import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from watchkeeper.cli.options import DataDir, Url
from watchkeeper.cli.remote import server_of
from watchkeeper.cli.terminal import stderr, stdout
from watchkeeper.kit.settings import ServerSettings, read

__all__ = ["Format", "sql"]


class Format(StrEnum):
    """How rows are printed."""

    table = "table"
    json = "json"
    csv = "csv"


def sql(
    query: Annotated[str, typer.Argument(help="One SELECT over spans and scores; columns in docs/reference/sql.md.")],
    output: Annotated[Format, typer.Option("--format", "-f", help="How to print the rows.")] = Format.table,
    as_json: Annotated[bool, typer.Option("--json", help="Short for --format json.")] = False,
    data_dir: DataDir = None,
    url: Url = None,
) -> None:
    """Run one SELECT over spans and scores. (beta)

    Example: watchkeeper sql "select model, count(*), sum(cost_nano_usd)/1e9 as usd from spans group by model"
    """
    answer = _ask(query, url, data_dir)
    _print(answer, Format.json if as_json else output)
    if answer["truncated"]:
        stderr().print(f"only the first {len(answer['rows'])} rows are shown", style="yellow")


def _ask(query: str, url: str | None, data_dir: Path | None) -> dict[str, Any]:
    settings = read(ServerSettings, data_dir=data_dir)
    server = server_of(settings, url)
    if server is not None:
        answer: dict[str, Any] = server.ask("POST", "/query", {"sql": query})
        return answer
    from watchkeeper.server import assemble
    from watchkeeper.server.lockfile import FolderLock

    with FolderLock(settings.folder()):
        services = assemble(settings, settings.folder())
        try:
            return services.queries.run("default", query).model_dump()
        finally:
            services.close()


def _print(answer: dict[str, Any], how: Format) -> None:
    console = stdout()
    if how is Format.json:
        console.print(json.dumps(answer, ensure_ascii=False), markup=False)
        return
    if how is Format.csv:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(answer["columns"])
        writer.writerows(answer["rows"])
        console.print(text.getvalue(), markup=False, end="")
        return
    table = Table(header_style="bold", box=None, pad_edge=False)
    for index, column in enumerate(answer["columns"]):
        numeric = all(isinstance(row[index], int | float | None) for row in answer["rows"])
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in answer["rows"]:
        table.add_row(*("" if value is None else _cell(value) for value in row))
    console.print(table)


def _cell(value: object) -> str:
    from rich.markup import escape

    return escape(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
