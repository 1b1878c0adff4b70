"""`watchkeeper prices`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from watchkeeper.cli.asking import asking
from watchkeeper.cli.terminal import stdout
from watchkeeper.cli.times import moment

if TYPE_CHECKING:
    from watchkeeper.server import Services

__all__ = ["application"]

application = typer.Typer(help="Look at prices, and at what machines of your own cost. (beta)", no_args_is_help=True)

_NANO = 1_000_000_000


@application.command("hours")
def hours(
    since: Annotated[str, typer.Option(help="From this time, day, or age on.")] = "24h",
    until: Annotated[str | None, typer.Option(help="Up to this time. [default: now]")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
    project: Annotated[str | None, typer.Option(help="Project; with --url it is that of WATCHKEEPER_API_KEY.")] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Data folder; its running server is asked, else it is opened.")
    ] = None,
    url: Annotated[str | None, typer.Option(help="Ask this server instead.")] = None,
) -> None:
    """Show what on-premises models cost by the hour: shared among calls, and idle. (beta)

    Up to 31 days, hours that are over. Example: watchkeeper prices hours --since 7d
    """
    window = {"since": moment(since, "--since"), "until": moment(until, "--until")}
    with asking("GET", "/prices/hours", _hours_here, url=url, data_dir=data_dir, project=project) as ask:
        answer = ask(window)
    if as_json:
        stdout().print(json.dumps(answer), markup=False)
        return
    if not answer["hours"]:
        stdout().print("no hours: the price file names no [[on_prem]] machines, or nothing ran yet")
        return
    stdout().print(_table(answer))


def _hours_here(services: Services, project: str, body: dict[str, Any]) -> dict[str, Any]:
    from watchkeeper.server.request import nanoseconds

    since, until = (nanoseconds(name, body[name]) for name in ("since", "until"))
    return services.prices.show_hours(project, since, until, whole=True).model_dump()


def _table(answer: dict[str, Any]) -> Table:
    table = Table(header_style="bold", box=None, pad_edge=False)
    for name in ("hour", "pool"):
        table.add_column(name)
    columns = ("own_nano", "others_nano", "idle_nano", "cost_nano") if answer["whole"] else ("own_nano",)
    for name in ("calls", *(column.removesuffix("_nano") for column in columns), "currency"):
        table.add_column(name, justify="right")
    totals: dict[str, list[int]] = {}
    for one in answer["hours"]:
        cells = [int(one[column]) for column in columns]
        sums = totals.setdefault(one["currency"], [0] * len(cells))
        totals[one["currency"]] = [before + cell for before, cell in zip(sums, cells, strict=True)]
        calls = "" if one["calls"] is None else f"{one['calls']:,}"
        table.add_row(f"{one['start'][:16]}Z", one["pool"], calls, *map(_money, cells), one["currency"])
    for currency, sums in totals.items():
        table.add_row("total", "", "", *map(_money, sums), currency, style="bold")
    return table


def _money(nano: int) -> str:
    return f"{nano / _NANO:,.4f}"
