"""`watchkeeper backfill`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watchkeeper.cli.asking import Ask, asking
from watchkeeper.cli.money import shown
from watchkeeper.cli.options import DataDir, Url
from watchkeeper.cli.progress import counting
from watchkeeper.cli.terminal import stdout
from watchkeeper.cli.times import moment

if TYPE_CHECKING:
    from watchkeeper.server import Services

__all__ = ["backfill"]

backfill = typer.Typer(help="Work out anew what is stored. (beta)", no_args_is_help=True)

_COUNTS = ("calls", "changed", "provided", "kept", "missed")
_SUMS = ("before_nano_usd", "after_nano_usd")


@backfill.command("prices")
def prices(
    since: Annotated[str | None, typer.Option(help="From this time, day, or age on (7d). [default: all]")] = None,
    until: Annotated[str | None, typer.Option(help="Up to this time.")] = None,
    service: Annotated[str | None, typer.Option(help="This service alone.")] = None,
    model: Annotated[str | None, typer.Option(help="This model alone.")] = None,
    provided: Annotated[
        bool, typer.Option("--provided", help="Also calls whose client said what they cost; that is lost.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    project: Annotated[str | None, typer.Option(help="Project; with --url it is that of WATCHKEEPER_API_KEY.")] = None,
    data_dir: DataDir = None,
    url: Url = None,
) -> None:
    """Price stored calls anew with today's tables and your own prices. (beta)

    In steps, so that ingest goes on; it can be stopped and run again. Example: watchkeeper backfill prices --since 7d
    """
    wanted = {
        "since": moment(since, "--since"), "until": moment(until, "--until"), "service": service, "model": model,
        "provided": provided, "dry_run": dry_run,
    }  # fmt: skip
    with asking("POST", "/prices/backfill", _here, url=url, data_dir=data_dir, project=project) as ask:
        report, display = _steps(ask, wanted)
    if as_json:
        stdout().print(json.dumps({"dry_run": dry_run, **report, "display": display}), markup=False)
        return
    for line in _said(report, display, dry_run=dry_run):
        stdout().print(line)


def _here(services: Services, project: str, body: dict[str, Any]) -> dict[str, Any]:
    from watchkeeper.server.prices.schemas import BackfillIn

    return services.prices.backfill(project, BackfillIn.model_validate(body)).model_dump()


def _steps(ask: Ask, wanted: dict[str, Any]) -> tuple[dict[str, int], dict[str, Any]]:
    report = dict.fromkeys((*_COUNTS, *_SUMS), 0)
    cursor = None
    with counting("pricing anew") as bar:
        while True:
            step = ask({**wanted, "cursor": cursor})
            for name in report:
                report[name] += int(step[name])
            bar.tell(report["calls"], step["total"])
            cursor = step["next_cursor"]
            if cursor is None:
                return report, step["display"]


def _said(report: dict[str, int], display: dict[str, Any], *, dry_run: bool) -> list[str]:
    before, after = (report[name] for name in _SUMS)
    lines = [
        f"{report['changed']:,} of {report['calls']:,} calls {'would change' if dry_run else 'changed'}",
        f"before  {shown(before, display)}",
        f"after   {shown(after, display)}",
        f"change  {shown(after - before, display, signed=True)}",
    ]
    if report["provided"]:
        lines.append(f"left: {report['provided']:,} whose client said what they cost (--provided prices them too)")
    if report["kept"]:
        lines.append(f"left: {report['kept']:,} that no table knows a price of any longer")
    if report["missed"]:
        lines.append(f"left: {report['missed']:,} that were stored anew meanwhile")
    return lines
