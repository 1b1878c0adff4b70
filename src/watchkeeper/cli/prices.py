"""`watchkeeper prices`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from watchkeeper.cli.asking import asking
from watchkeeper.cli.money import shown
from watchkeeper.cli.options import DataDir, Url
from watchkeeper.cli.terminal import stdout
from watchkeeper.cli.times import moment
from watchkeeper.kit.settings import ServerSettings, read

if TYPE_CHECKING:
    from watchkeeper.server import Services

__all__ = ["application"]

application = typer.Typer(help="Look at prices, and at what machines of your own cost. (beta)", no_args_is_help=True)
rates = typer.Typer(help="Exchange rates. (beta)", no_args_is_help=True)
application.add_typer(rates, name="rates")

_NANO = 1_000_000_000
_STALE_DAYS = 92
_STYLES = {"disputed": "yellow", "unpriced": "red"}

AsJson = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]
Project = Annotated[str | None, typer.Option(help="Project; with --url it is that of WATCHKEEPER_API_KEY.")]


@application.command("show")
def show(
    model: Annotated[str, typer.Argument(help="The model, as spans name it.")],
    provider: Annotated[str | None, typer.Option(help="Its provider, as spans name it.")] = None,
    at: Annotated[str | None, typer.Option(help="The price of this time or day. [default: now]")] = None,
    host: Annotated[str | None, typer.Option(help="The endpoint's host, which may cost more.")] = None,
    region: Annotated[str | None, typer.Option(help="The region, which may cost more.")] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    url: Url = None,
) -> None:
    """Show what a model costs, why, and what a second table says. (beta)

    Example: watchkeeper prices show gpt-4o-mini --provider openai --at 2026-01-01
    """
    wanted = {"model": model, "provider": provider, "at": moment(at, "--at"), "host": host, "region": region}
    with asking("GET", "/prices", _show_here, url=url, data_dir=data_dir, project=None) as ask:
        answer = ask(wanted)
    if as_json:
        stdout().print(json.dumps(answer), markup=False)
        return
    console = stdout()
    console.print(f"{answer['model']}  {answer['verdict']}", style=_STYLES.get(answer["verdict"]), markup=False)
    for name in ("source", "version", "reason"):
        if answer[name]:
            console.print(f"{name:8} {answer[name]}", markup=False)
    if answer["prices"]:
        console.print(_price_table(answer))
    for one in answer["uplifts"]:
        console.print(f"+{one['percent']} % {one['name']} ({one['source']})", markup=False)


def _show_here(services: Services, _: str, body: dict[str, Any]) -> dict[str, Any]:
    from watchkeeper.server.request import nanoseconds

    told = nanoseconds("at", body["at"])
    return services.prices.show(body["model"], body["provider"], told, body["host"], body["region"]).model_dump()


def _price_table(answer: dict[str, Any]) -> Table:
    table = Table(header_style="bold", box=None, pad_edge=False)
    table.add_column(f"{answer['currency']} a million tokens")
    for name in ("price", "above", answer["second"] or "", "differs"):
        table.add_column(name, justify="right")
    for one in answer["prices"]:
        differs = "" if one["differs"] is None else f"{one['differs']} %"
        table.add_row(one["bucket"], one["price"], "", one["second"] or "", differs)
        for start, price in one["tiers"]:
            table.add_row("", price, f"{start:,}", "", "")
    return table


@application.command("check")
def check(
    since: Annotated[str, typer.Option(help="Models called from this time, day, or age on.")] = "30d",
    until: Annotated[str | None, typer.Option(help="Up to this time. [default: now]")] = None,
    as_json: AsJson = False,
    project: Project = None,
    data_dir: DataDir = None,
    url: Url = None,
) -> None:
    """Check the prices of the models that were called: where tables differ, what has none, how old they are. (beta)

    Example: watchkeeper prices check --since 7d
    """
    window = {"since": moment(since, "--since"), "until": moment(until, "--until")}
    with asking("GET", "/prices/check", _check_here, url=url, data_dir=data_dir, project=project) as ask:
        answer = ask(window)
    if as_json:
        stdout().print(json.dumps(answer), markup=False)
        return
    for text, bad in _age_lines(answer["ages"]):
        stdout().print(text, style="yellow" if bad else None, markup=False)
    if answer["models"]:
        stdout().print(_check_table(answer["models"]))
    else:
        stdout().print("no model was called in that time")


def _check_here(services: Services, project: str, body: dict[str, Any]) -> dict[str, Any]:
    from watchkeeper.server.request import nanoseconds

    since, until = (nanoseconds(name, body[name]) for name in ("since", "until"))
    return services.prices.check(project, since, until, whole=True).model_dump()


def _age_lines(ages: dict[str, Any]) -> list[tuple[str, bool]]:
    lines = [
        (f"prices    {ages['table']}", False),
        (
            f"checked   {ages['second_table']}, taken {ages['second_table_taken']} ({ages['second_table_days']} days ago)",
            ages["second_table_days"] > _STALE_DAYS,
        ),
        (f"exchange  to {ages['rates_last']} ({ages['rates_days']} days ago)", ages["rates_days"] > _STALE_DAYS),
        (f"your own  {ages['overrides'] or 'none (WATCHKEEPER_PRICES)'}", False),
    ]
    return lines + ([(f"          not in force: {ages['error']}", True)] if ages["error"] else [])


def _check_table(models: list[dict[str, Any]]) -> Table:
    table = Table(header_style="bold", box=None, pad_edge=False)
    for name in ("provider", "model", "verdict", "differs"):
        table.add_column(name)
    for name in ("calls", "unpriced"):
        table.add_column(name, justify="right")
    for one in models:
        told = one["priced"]
        differs = ", ".join(f"{each['bucket']} {each['differs']} %" for each in told["prices"] if each["differs"])
        table.add_row(
            escape(told["provider"] or ""), escape(told["model"]), told["verdict"], differs, f"{one['calls']:,}",
            f"{one['unpriced']:,}" if one["unpriced"] else "", style=_STYLES.get(told["verdict"]),
        )  # fmt: skip
    return table


@rates.command("import")
def import_rates(
    file: Annotated[Path, typer.Argument(help="eurofxref-hist.zip or eurofxref.zip of the ECB, or the CSV in it.")],
    as_json: AsJson = False,
    data_dir: Annotated[Path | None, typer.Option(help="Data folder of the server that is to use them.")] = None,
) -> None:
    """Take in newer exchange rates from a file of the European Central Bank. (beta)

    A running server reads them within a second; no connection is made. Stored costs keep the rate of their day.
    """
    from watchkeeper.pricing import IMPORTED, import_table

    folder = read(ServerSettings, data_dir=data_dir).folder()
    table = import_table(file, folder / IMPORTED)
    currencies = sorted(name for name in table.columns if name)
    answer = {"first": table.first, "last": table.last, "days": len(table.days), "currencies": currencies}
    if as_json:
        stdout().print(json.dumps(answer), markup=False)
        return
    stdout().print(f"{answer['days']:,} days from {table.first} to {table.last}, {len(currencies)} currencies")


@application.command("hours")
def hours(
    since: Annotated[str, typer.Option(help="From this time, day, or age on.")] = "24h",
    until: Annotated[str | None, typer.Option(help="Up to this time. [default: now]")] = None,
    as_json: AsJson = False,
    project: Project = None,
    data_dir: DataDir = None,
    url: Url = None,
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
    if answer["whole"]:
        for name in ("own", "idle"):
            nano = answer[f"{name}_nano_usd"]
            stdout().print(f"{name:5} {shown(None if nano is None else int(nano), answer['display'])}", markup=False)


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
        table.add_row(f"{one['start'][:16]}Z", escape(one["pool"]), calls, *map(_money, cells), one["currency"])
    for currency, sums in totals.items():
        table.add_row("total", "", "", *map(_money, sums), currency, style="bold")
    return table


def _money(nano: int) -> str:
    return f"{nano / _NANO:,.4f}"
