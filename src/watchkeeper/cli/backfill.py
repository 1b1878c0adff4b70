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
_REMAPPED = ("spans", "changed", "missed")

Since = Annotated[str | None, typer.Option(help="From this time, day, or age on (7d). [default: all]")]
Until = Annotated[str | None, typer.Option(help="Up to this time.")]
Service = Annotated[str | None, typer.Option(help="This service alone.")]
Model = Annotated[str | None, typer.Option(help="This model alone.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")]
Report = Annotated[bool, typer.Option("--json", help="Print the report as JSON.")]
Project = Annotated[str | None, typer.Option(help="Project; with --url it is that of WATCHKEEPER_API_KEY.")]


@backfill.command("prices")
def prices(
    since: Since = None,
    until: Until = None,
    service: Service = None,
    model: Model = None,
    provided: Annotated[
        bool, typer.Option("--provided", help="Also calls whose client said what they cost; that is lost.")
    ] = False,
    dry_run: DryRun = False,
    as_json: Report = False,
    project: Project = None,
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
        report, display, _ = _steps(ask, wanted, "pricing anew", _COUNTS)
    if as_json:
        stdout().print(json.dumps({"dry_run": dry_run, **report, "display": display}), markup=False)
        return
    for line in _said(report, display, dry_run=dry_run):
        stdout().print(line)


@backfill.command("mapping")
def mapping(
    since: Since = None,
    until: Until = None,
    service: Service = None,
    model: Annotated[str | None, typer.Option(help="This model alone, by the name it has now.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Also spans that today's mapper has read already.")] = False,
    dry_run: DryRun = False,
    as_json: Report = False,
    project: Project = None,
    data_dir: DataDir = None,
    url: Url = None,
) -> None:
    """Map stored spans anew, as they would be read if they came today. (beta)

    In steps, so that ingest goes on; stopped, it goes on where it was. Example: watchkeeper backfill mapping --dry-run
    """
    wanted = {
        "since": moment(since, "--since"), "until": moment(until, "--until"), "service": service, "model": model,
        "all": everything, "dry_run": dry_run,
    }  # fmt: skip
    with asking("POST", "/mapping/backfill", _remap_here, url=url, data_dir=data_dir, project=project) as ask:
        report, display, fields = _steps(ask, wanted, "mapping anew", _REMAPPED)
    if as_json:
        told = {"dry_run": dry_run, **report, "fields": fields, "display": display}
        stdout().print(json.dumps(told), markup=False)
        return
    for line in _remapped(report, display, fields, dry_run=dry_run):
        stdout().print(line)


def _here(services: Services, project: str, body: dict[str, Any]) -> dict[str, Any]:
    from watchkeeper.server.prices.schemas import BackfillIn

    return services.prices.backfill(project, BackfillIn.model_validate(body)).model_dump()


def _remap_here(services: Services, project: str, body: dict[str, Any]) -> dict[str, Any]:
    from watchkeeper.server.mapping.schemas import RemapIn

    return services.mapping.backfill(project, RemapIn.model_validate(body)).model_dump()


def _steps(
    ask: Ask, wanted: dict[str, Any], title: str, counts: tuple[str, ...]
) -> tuple[dict[str, int], dict[str, Any], dict[str, int]]:
    """Take every step; return the sums, how money is shown, and what changed by field where that is told."""
    report = dict.fromkeys((*counts, *_SUMS), 0)
    fields: dict[str, int] = {}
    cursor = None
    with counting(title) as bar:
        while True:
            step = ask({**wanted, "cursor": cursor})
            for name in report:
                report[name] += int(step[name])
            for name, count in step.get("fields", {}).items():
                fields[name] = fields.get(name, 0) + count
            bar.tell(report[counts[0]], step["total"])
            cursor = step["next_cursor"]
            if cursor is None:
                return report, step["display"], dict(sorted(fields.items()))


def _remapped(report: dict[str, int], display: dict[str, Any], fields: dict[str, int], *, dry_run: bool) -> list[str]:
    lines = [f"{report['changed']:,} of {report['spans']:,} spans {'would change' if dry_run else 'changed'}"]
    lines += [f"  {name} {count:,}" for name, count in sorted(fields.items(), key=lambda one: (-one[1], one[0]))]
    before, after = (report[name] for name in _SUMS)
    if before != after:
        lines += [f"cost before  {shown(before, display)}", f"cost after   {shown(after, display)}"]
    if report["missed"]:
        lines.append(f"left: {report['missed']:,} that were stored anew or deleted meanwhile (run it again)")
    return lines


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
