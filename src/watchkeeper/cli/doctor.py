"""`watchkeeper doctor`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from watchkeeper.cli.terminal import stderr, stdout

if TYPE_CHECKING:
    from watchkeeper.doctor import Report

__all__ = ["doctor"]

_STYLES = {"ok": "green", "warn": "yellow", "fail": "bold red"}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Leave out what is well.")] = False,
    send: Annotated[
        bool, typer.Option("--send", help="Send one real span (service watchkeeper-doctor) and read it again.")
    ] = False,
    remote: Annotated[
        bool, typer.Option("--remote", help="Ask the configured server also where it is not on this machine.")
    ] = False,
    data_dir: Annotated[Path | None, typer.Option(help="Data folder to look at.")] = None,
    url: Annotated[str | None, typer.Option(help="The server's address, in place of the configured one.")] = None,
) -> None:
    """Say what is wrong here, and the command that mends it. (beta)

    Looks at ports, clock, keys, endpoint, versions, disk, store, prices and limits. Changes nothing, and connects to
    loopback only, unless --send or --remote say otherwise. Exit code: 0 where nothing fails, 2 where only
    configuration does, else 103. Findings: docs/operations/doctor.md.
    """
    from watchkeeper.doctor import examine

    if send and not as_json:
        stderr().print("sending one span of the service watchkeeper-doctor", style="dim")
    report = examine(data_dir=data_dir, url=url, remote=remote, send=send)
    if as_json:
        stdout().print(_json(report, quiet=quiet), markup=False)
    else:
        _print(report, quiet=quiet)
    raise typer.Exit(report.exit_code)


def _json(report: Report, *, quiet: bool) -> str:
    found = [
        {name: getattr(one, name) for name in one.__struct_fields__}
        for one in report.findings
        if not (quiet and one.severity == "ok")
    ]
    told = {"version": report.version, "exit_code": report.exit_code, "summary": report.summary, "findings": found}
    return json.dumps(told, ensure_ascii=False)


def _print(report: Report, *, quiet: bool) -> None:
    console = stdout()
    width = max(len(one.check) for one in report.findings)
    for one in report.findings:
        if quiet and one.severity == "ok":
            continue
        style = _STYLES[one.severity]
        head = f"[{style}]{one.severity:<4}[/] {one.id} {one.check:<{width}}"
        console.print(f"{head}  {escape(one.what)} [dim]({escape(one.where)})[/]")
        if one.mend:
            console.print(f"{'':<12} mend: {escape(one.mend)}", style="cyan")
    counts = report.summary
    style = "fail" if counts["fail"] else "warn" if counts["warn"] else "ok"
    console.print(f"{counts['fail']} failing, {counts['warn']} to look at, {counts['ok']} well", style=_STYLES[style])
