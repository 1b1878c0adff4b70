"""`watchkeeper restore`."""

from __future__ import annotations

import getpass
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from watchkeeper.cli.progress import TerminalProgress
from watchkeeper.cli.terminal import stderr, stdout
from watchkeeper.kit.settings import ServerSettings, read

if TYPE_CHECKING:
    from watchkeeper.server.backup import RestoreReport

__all__ = ["restore"]


def restore(
    file: Annotated[Path, typer.Argument(help="A file that `watchkeeper backup` wrote.")],
    force: Annotated[
        bool, typer.Option("--force", help="Where the data folder is not empty, move what it holds aside, inside it.")
    ] = False,
    erasures: Annotated[
        Path | None,
        typer.Option(help="A record of erasures (erasures.jsonl) kept elsewhere, to heed beside the folder's own."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    data_dir: Annotated[Path | None, typer.Option(help="Data folder; no server may use it.")] = None,
) -> None:
    """Restore a backup into an empty data folder. (beta)

    It is verified whole before anything is touched. Who was erased since it was taken is erased from it, as far as the
    folder's record of erasures knows. Example: watchkeeper restore /backup/watchkeeper.zip
    """
    folder = read(ServerSettings, data_dir=data_dir).folder()
    from watchkeeper.kit.clock import SystemClock
    from watchkeeper.server.backup import restore as run

    with TerminalProgress() as bar:
        report = run(
            file, folder, force=force, erasures=erasures, who=f"cli:{getpass.getuser()}", clock=SystemClock(),
            verifying=lambda done, whole: bar.progress("verifying", done, whole),
            writing=lambda done, whole: bar.progress("writing", done, whole),
        )  # fmt: skip
    if as_json:
        stdout().print(json.dumps(msgspec.to_builtins(report)), markup=False)
    else:
        _say(report, folder)


def _say(report: RestoreReport, folder: Path) -> None:
    out = stdout()
    out.print(
        f"restored {report.spans:,} spans, {report.scores:,} scores, as of {report.taken_at[:19]}Z, to {folder}",
        markup=False,
    )
    if report.erased_traces:
        out.print(
            f"{report.erased_traces:,} traces ({report.erased_spans:,} spans, {report.erased_scores:,} scores) had been "
            "erased since and are not in it"
        )
    if report.shut_out:
        out.print(
            f"{report.shut_out:,} keys and people were given the state they had until now (revoked, disabled, role)"
        )
    if report.aside is not None:
        out.print(f"what was there before is in {report.aside}: delete it once you need it no more", markup=False)
    for warning in report.warnings:
        stderr().print(f"warning: {warning}", style="yellow", markup=False)
