"""`watchkeeper journal`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer
from rich.markup import escape
from rich.table import Table

from watchkeeper.cli.options import DataDir, Json, Url
from watchkeeper.cli.remote import Server, server_of
from watchkeeper.cli.terminal import stdout
from watchkeeper.kit.settings import ServerSettings, read

if TYPE_CHECKING:
    from watchkeeper.server.journal.service import JournalService

__all__ = ["application"]

application = typer.Typer(
    help="What was acknowledged and could not be stored: exports set aside, damaged pieces. (beta)",
    no_args_is_help=True, context_settings={"help_option_names": ["-h", "--help"]},
)  # fmt: skip

Name = Annotated[str, typer.Argument(help="The file's name, as `watchkeeper journal list` gives it.")]


@application.command("list")
def list_(as_json: Json = False, data_dir: DataDir = None, url: Url = None) -> None:
    """List what could not be stored, and when it is deleted by age. (beta)"""
    with _asking(url, data_dir) as asked:
        if isinstance(asked, Server):
            found: list[dict[str, Any]] = asked.ask("GET", "/journal")["files"]
        else:
            found = asked.list().model_dump(mode="json")["files"]
    if as_json:
        stdout().print(json.dumps({"files": found}), markup=False)
        return
    if not found:
        stdout().print("nothing was set aside")
        return
    table = Table(header_style="bold", box=None, pad_edge=False)
    for name in ("name", "kind", "bytes", "since", "until"):
        table.add_column(name, justify="right" if name == "bytes" else "left", overflow="fold")
    for one in found:
        row = (one["name"], one["kind"], f"{one['bytes']:,}", one["since"][:19] + "Z", one["until"][:19] + "Z")
        table.add_row(*(escape(text) for text in row))
    stdout().print(table)


@application.command("retry")
def retry(name: Name, as_json: Json = False, data_dir: DataDir = None, url: Url = None) -> None:
    """Store an export that was set aside, as if it came now; its file goes once it is stored. (beta)

    A later value of the same span that was stored meanwhile is merged with it, and it wins. What was erased stays out.
    """
    with _asking(url, data_dir) as asked:
        if isinstance(asked, Server):
            done: dict[str, Any] = asked.ask("POST", f"/journal/{quote(name, safe='')}")
        else:
            done = asked.retry(name).model_dump(mode="json")
    if as_json:
        stdout().print(json.dumps(done), markup=False)
        return
    told = ", ".join(f"{count:,} {what}" for what, count in done["outcomes"].items()) or "no spans"
    stdout().print(f"stored {name}: {told}", markup=False)


@application.command("drop")
def drop(name: Name, as_json: Json = False, data_dir: DataDir = None, url: Url = None) -> None:
    """Delete something that was set aside, for good. (beta)"""
    with _asking(url, data_dir) as asked:
        if isinstance(asked, Server):
            asked.ask("DELETE", f"/journal/{quote(name, safe='')}")
        else:
            asked.drop(name)
    stdout().print(json.dumps({"dropped": name}) if as_json else f"dropped {name}", markup=False)


@contextmanager
def _asking(url: str | None, data_dir: Path | None) -> Iterator[Server | JournalService]:
    """Give the server to ask, else the service on the folder that no server holds."""
    settings = read(ServerSettings, data_dir=data_dir)
    server = server_of(settings, url)
    if server is not None:
        yield server
        return
    from watchkeeper.server import assemble
    from watchkeeper.server.lockfile import FolderLock

    with FolderLock(settings.folder()):
        services = assemble(settings, settings.folder())
        try:
            yield services.journal
        finally:
            services.close()
