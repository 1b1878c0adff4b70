"""`watchkeeper keys`."""

from __future__ import annotations

import json
from dataclasses import replace
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.table import Table

from watchkeeper.cli.options import DataDir, Json
from watchkeeper.cli.remote import control_of, server_of
from watchkeeper.cli.terminal import stderr, stdout
from watchkeeper.kit.settings import ServerSettings, read

__all__ = ["application"]

application = typer.Typer(
    help="Key pairs: who may send, read and administer a project. (beta)", no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)  # fmt: skip

_BY = "local"


class Scope(StrEnum):
    """What a key may do."""

    ingest = "ingest"
    read = "read"
    admin = "admin"


Project = Annotated[str, typer.Option("--project", "-p", help="The project the key decides; create makes a new one.")]
Url = Annotated[str | None, typer.Option(help="Ask this server instead, with WATCHKEEPER_API_KEY (an admin key).")]


@application.command("create")
def create(
    scopes: Annotated[list[Scope], typer.Option("--scope", "-s", help="What it may do; may be given again.")],
    name: Annotated[str, typer.Option(help="What people call it.")] = "",
    project: Project = "default",
    expires_in_days: Annotated[int | None, typer.Option(min=1, max=3650, help="When it ends by itself.")] = None,
    data_dir: DataDir = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Make a key pair; the secret is printed once, alone on stdout, and kept nowhere. (beta)

    Example: export WATCHKEEPER_API_KEY=$(watchkeeper keys create --scope ingest --name support-bot)
    """
    body = {"name": name, "scopes": [str(scope) for scope in scopes], "expires_in_days": expires_in_days}
    settings = read(ServerSettings, data_dir=data_dir)
    server = server_of(settings, url, project)
    if server is not None:
        if project != "default" and url is None:
            in_default = {**server.headers, "X-Watchkeeper-Project": "default"}
            replace(server, headers=in_default).ask("PUT", f"/projects/{project}")
        _secret(server.ask("POST", "/keys", body), as_json)
        return
    from watchkeeper.server.keys.schemas import KeyIn
    from watchkeeper.server.keys.service import KeyService

    with control_of(settings) as control:
        control.ensure_project(project)
        made = KeyService(control).create(project, KeyIn.model_validate(body), _BY)
    _secret(made.model_dump(), as_json)


@application.command("list")
def list_(project: Project = "default", data_dir: DataDir = None, url: Url = None, as_json: Json = False) -> None:
    """List the project's keys, newest first, without their secrets. (beta)"""
    settings = read(ServerSettings, data_dir=data_dir)
    server = server_of(settings, url, project)
    if server is not None:
        found: dict[str, Any] = server.ask("GET", "/keys")
    else:
        from watchkeeper.server.keys.service import KeyService

        with control_of(settings) as control:
            found = KeyService(control).list(project).model_dump()
    if as_json:
        stdout().print(json.dumps(found["items"]), markup=False)
        return
    table = Table(header_style="bold", box=None, pad_edge=False)
    for column in ("public id", "name", "scopes", "created", "last used", "state"):
        table.add_column(column, overflow="fold")
    for key in found["items"]:
        table.add_row(
            key["public_id"], key["name"], " ".join(key["scopes"]), _day(key["created_at"]), _day(key["last_used_at"]),
            _state(key),
        )  # fmt: skip
    stdout().print(table, markup=False)


@application.command("rotate")
def rotate(
    public_id: Annotated[str, typer.Argument(help="The key's public id (pk-...).")],
    overlap_hours: Annotated[float, typer.Option(min=0, max=720, help="How long the old pair still works.")] = 24,
    project: Project = "default",
    data_dir: DataDir = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Make a successor with the same name and scopes; the old pair works for the overlap. (beta)"""
    settings = read(ServerSettings, data_dir=data_dir)
    server = server_of(settings, url, project)
    if server is not None:
        _secret(server.ask("POST", f"/keys/{public_id}/rotate", {"overlap_hours": overlap_hours}), as_json)
        return
    from watchkeeper.server.keys.schemas import RotateIn
    from watchkeeper.server.keys.service import KeyService

    with control_of(settings) as control:
        made = KeyService(control).rotate(project, public_id, RotateIn(overlap_hours=overlap_hours), _BY)
    _secret(made.model_dump(), as_json)


@application.command("revoke")
def revoke(
    public_id: Annotated[str, typer.Argument(help="The key's public id (pk-...).")],
    project: Project = "default",
    data_dir: DataDir = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Revoke a key at once. (beta)"""
    settings = read(ServerSettings, data_dir=data_dir)
    server = server_of(settings, url, project)
    if server is not None:
        server.ask("DELETE", f"/keys/{public_id}")
    else:
        from watchkeeper.server.keys.service import KeyService

        with control_of(settings) as control:
            KeyService(control).revoke(project, public_id, _BY)
    if as_json:
        stdout().print(json.dumps({"public_id": public_id, "revoked": True}), markup=False)
    else:
        stderr().print(f"revoked {public_id}", markup=False)


def _secret(made: dict[str, Any], as_json: bool) -> None:
    """Print the secret alone on stdout, so that it can be caught in a variable; what it is goes to stderr."""
    if as_json:
        stdout().print(json.dumps({**made["key"], "secret": made["secret"]}), markup=False)
        return
    key = made["key"]
    stderr().print(f"{key['public_id']} of {key['project']}: {' '.join(key['scopes'])}", markup=False)
    stderr().print("The secret is shown this once:", style="dim")
    stdout().print(made["secret"], markup=False)


def _state(key: dict[str, Any]) -> str:
    if key["revoked_at"] is not None:
        return "revoked"
    if key["replaced_by"] is not None:
        return f"until {_day(key['expires_at'])}, then {key['replaced_by']}"
    return "good" if key["expires_at"] is None else f"until {_day(key['expires_at'])}"


def _day(time: str | None) -> str:
    return "never" if time is None else time[:16].replace("T", " ")
