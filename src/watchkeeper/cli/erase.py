"""`watchkeeper erase`."""

from __future__ import annotations

import getpass
import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from watchkeeper.cli.options import DataDir, Url
from watchkeeper.cli.remote import server_of
from watchkeeper.cli.terminal import stderr, stdout
from watchkeeper.kit.errors import ConfigError
from watchkeeper.kit.settings import ServerSettings, read

__all__ = ["erase"]

Ask = Callable[[dict[str, Any]], dict[str, Any]]
"""What to erase, to the report."""


def erase(
    user: Annotated[str | None, typer.Option(help="Erase every trace with a span of this user.")] = None,
    session: Annotated[str | None, typer.Option(help="Erase every trace of this session.")] = None,
    trace: Annotated[str | None, typer.Option(help="Erase this trace (32 hex digits).")] = None,
    project: Annotated[str | None, typer.Option(help="Project; with --url it is that of WATCHKEEPER_API_KEY.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would go.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    data_dir: DataDir = None,
    url: Url = None,
) -> None:
    """Erase a user's, a session's or one trace's data: spans, scores, waiting logs, and what could not be stored. (beta)

    Whole traces go. They do not come back when an SDK sends them again. Example: watchkeeper erase --user ada --dry-run
    """
    wanted = {name: one for name, one in (("user", user), ("session", session), ("trace", trace)) if one}
    if len(wanted) != 1:
        raise ConfigError("name exactly one of --user, --session and --trace", hint="watchkeeper erase --help")
    if trace is not None and not re.fullmatch("[0-9a-f]{32}", trace):
        raise ConfigError(f"{trace!r} is not a trace id", hint="32 lower-case hex digits")
    with _asking(url, data_dir, project) as ask:
        report = ask({**wanted, "dry_run": True})
        empty = not (report["traces"] or report["scores"] or report["set_aside"] or report["removed"])
        if not dry_run:
            if not yes and not empty:
                _confirm(report)
            report = ask({**wanted, "dry_run": False})
    if as_json:
        stdout().print(json.dumps(report), markup=False)
    elif empty:
        stdout().print("nothing is stored of it")
    else:
        stdout().print(f"{'would erase' if dry_run else 'erased'} {_said(report)}")
        if not dry_run and not report["reclaimed"]:
            stdout().print(
                "its bytes leave the files when the server next writes the store anew: within a day", style="dim"
            )
    for name in () if as_json else report["unreached"]:
        stderr().print(
            f"{name} in the journal's folder is damaged, cannot be searched, and may hold something of it: "
            f"watchkeeper journal drop {name}",
            style="yellow", markup=False,
        )  # fmt: skip


def _confirm(report: dict[str, Any]) -> None:
    if not sys.stdin.isatty():
        raise ConfigError("there is no terminal to ask on", hint="--yes erases without asking, --dry-run only counts")
    stderr().print(f"This erases {_said(report)}, for good.")
    if not typer.confirm("Erase?", err=True):
        raise typer.Abort


def _said(report: dict[str, Any]) -> str:
    parts = [f"{report[name]:,} {text}" for name, text in (("traces", "traces"), ("spans", "spans"))]
    parts += [
        f"{report[name]:,} {text}"
        for name, text in (
            ("scores", "scores"),
            ("pending_logs", "waiting log records"),
            ("set_aside", "things that could not be stored"),
        )
        if report[name]
    ]
    if report["removed"]:
        parts.append(f"{len(report['removed']):,} exports that nobody can read")
    when = f" from {report['first'][:19]}Z to {report['last'][:19]}Z" if report["first"] else ""
    return ", ".join(parts) + when


@contextmanager
def _asking(url: str | None, data_dir: Path | None, project: str | None) -> Iterator[Ask]:
    settings = read(ServerSettings, data_dir=data_dir)
    from watchkeeper.server.lockfile import FolderLock

    server = server_of(settings, url, project)
    if server is not None:
        yield lambda body: dict(server.ask("POST", "/erasures", body))
        return
    from watchkeeper.server import assemble
    from watchkeeper.server.erasure.schemas import ErasureIn

    with FolderLock(settings.folder()):
        services = assemble(settings, settings.folder())
        try:
            yield lambda body: services.erasure.erase(
                project or "default", ErasureIn.model_validate(body), who=f"cli:{getpass.getuser()}", reclaim=True
            ).model_dump()
        finally:
            services.close()
