"""`watchkeeper users`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from watchkeeper.cli.options import DataDir, Json
from watchkeeper.cli.remote import Server, control_of, server_of
from watchkeeper.cli.terminal import stderr, stdout
from watchkeeper.kit.errors import NotFoundError
from watchkeeper.kit.settings import ServerSettings, read

if TYPE_CHECKING:
    from watchkeeper.server.members.service import MemberService

__all__ = ["application"]

application = typer.Typer(
    help="People: who may sign in, and as what in which project. (beta)", no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)  # fmt: skip

_BY = "local"


class Role(StrEnum):
    """What a person may do in a project: read; read and send; everything."""

    viewer = "viewer"
    member = "member"
    admin = "admin"


Email = Annotated[str, typer.Argument(help="The person's address.")]
Project = Annotated[str, typer.Option("--project", "-p", help="The project it is about.")]
Url = Annotated[
    str | None, typer.Option(help="Ask this server instead, with WATCHKEEPER_API_KEY (the operator's secret key).")
]


@dataclass(frozen=True, slots=True)
class _People:
    """The same questions, to a running server or to the folder."""

    project: str
    server: Server | None
    members: MemberService | None

    def all(self) -> list[dict[str, Any]]:
        """Return every user."""
        return self._ask("GET", "/users", None, lambda here: here.users())["items"]  # type: ignore[no-any-return]

    def find(self, email: str) -> dict[str, Any]:
        """Return the user of an address."""
        wanted = email.strip().lower()
        for one in self.all():
            if one["email"] == wanted:
                return one
        raise NotFoundError(f"there is no user {wanted}", hint="watchkeeper users list")

    def _ask(self, method: str, path: str, body: object, here: Any) -> dict[str, Any]:  # noqa: ANN401 - the service's answers
        if self.server is not None:
            answer: dict[str, Any] = self.server.ask(method, path, body) or {}
            return answer
        found = here(self.members)
        return {} if found is None else found.model_dump()

    def invite(self, email: str, role: str, hours: float) -> dict[str, Any]:
        """Make an invitation."""
        from watchkeeper.server.members.schemas import InvitationIn

        body = {"email": email, "role": role, "expires_in_hours": hours}
        given = InvitationIn.model_validate(body)
        return self._ask(
            "POST", "/invitations", body, lambda here: here.invite(self.project, given, "", by=_BY)
        )  # fmt: skip

    def reset(self, user_id: str) -> dict[str, Any]:
        """Make a link for a new password."""
        return self._ask(
            "POST", f"/members/{user_id}/reset", None,
            lambda here: here.reset(self.project, user_id, "", by=_BY, owner=True),
        )  # fmt: skip

    def set_role(self, user_id: str, role: str | None) -> None:
        """Change or end a membership."""
        from watchkeeper.server.members.schemas import RoleIn

        if role is None:
            self._ask(
                "DELETE", f"/members/{user_id}", None,
                lambda here: here.remove(self.project, user_id, by=_BY, owner=True),
            )  # fmt: skip
            return
        given = RoleIn.model_validate({"role": role})
        self._ask(
            "PUT", f"/members/{user_id}", {"role": role},
            lambda here: here.set_role(self.project, user_id, given, by=_BY, owner=True),
        )  # fmt: skip

    def disable(self, user_id: str, *, disabled: bool) -> None:
        """Lock out or let in."""
        self._ask(
            "PUT", f"/users/{user_id}", {"disabled": disabled},
            lambda here: here.disable(user_id, disabled=disabled, by=_BY),
        )  # fmt: skip


@contextmanager
def _people(data_dir: Path | None, url: str | None, project: str = "default") -> Iterator[_People]:
    settings = read(ServerSettings, data_dir=data_dir)
    server = server_of(settings, url, project)
    if server is not None:
        yield _People(project, server, None)
        return
    from watchkeeper.server.members.service import MemberService

    with control_of(settings) as control:
        if project not in control.projects() and project != "default":
            raise NotFoundError(f"there is no project {project!r}", hint="watchkeeper keys create --project makes one")
        control.ensure_project("default")
        yield _People(project, None, MemberService(control))


@application.command("list")
def list_(data_dir: DataDir = None, url: Url = None, as_json: Json = False) -> None:
    """List every user of the server, with their projects. (beta)"""
    with _people(data_dir, url) as people:
        found = people.all()
    if as_json:
        stdout().print(json.dumps(found), markup=False)
        return
    if not found:
        stdout().print("there are no users yet: watchkeeper users invite ada@example.com --role admin")
        return
    table = Table(header_style="bold", box=None, pad_edge=False)
    for column in ("address", "name", "projects", "state"):
        table.add_column(column, overflow="fold")
    for one in found:
        roles = ", ".join(f"{project['id']} ({project['role']})" for project in one["projects"])
        table.add_row(escape(one["email"]), escape(one["name"]), roles, "disabled" if one["disabled"] else "good")
    stdout().print(table)


@application.command("invite")
def invite(
    email: Email,
    role: Annotated[Role, typer.Option("--role", "-r", help="What they may do.")] = Role.viewer,
    hours: Annotated[float, typer.Option(min=0.1, max=720, help="How long the link is good.")] = 72,
    project: Project = "default",
    data_dir: DataDir = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Make a link that lets one address in; it is printed once, alone on stdout. No mail is sent. (beta)

    The first account makes reading need a login, on loopback too. Example: watchkeeper users invite ada@example.com -r admin
    """
    with _people(data_dir, url, project) as people:
        made = people.invite(email, str(role), hours)
    _link(made, as_json)


@application.command("reset")
def reset(
    email: Email, project: Project = "default", data_dir: DataDir = None, url: Url = None, as_json: Json = False
) -> None:
    """Make a link with which a user chooses a new password, good for a day. (beta)"""
    with _people(data_dir, url, project) as people:
        made = people.reset(people.find(email)["id"])
    _link(made, as_json)


@application.command("role")
def role(
    email: Email,
    given: Annotated[Role, typer.Argument(metavar="ROLE", help="What they may do from now on.")],
    project: Project = "default",
    data_dir: DataDir = None,
    url: Url = None,
) -> None:
    """Give a member of the project another role, at once. (beta)"""
    with _people(data_dir, url, project) as people:
        people.set_role(people.find(email)["id"], str(given))
    stderr().print(f"{email} is {given} of {project}", markup=False)


@application.command("remove")
def remove(email: Email, project: Project = "default", data_dir: DataDir = None, url: Url = None) -> None:
    """Take a member out of the project, at once; the account stays. (beta)"""
    with _people(data_dir, url, project) as people:
        people.set_role(people.find(email)["id"], None)
    stderr().print(f"{email} is not in {project} any more", markup=False)


@application.command("disable")
def disable(email: Email, data_dir: DataDir = None, url: Url = None) -> None:
    """Lock a user out of every project and end their sessions, at once. (beta)"""
    with _people(data_dir, url) as people:
        people.disable(people.find(email)["id"], disabled=True)
    stderr().print(f"{email} is locked out", markup=False)


@application.command("enable")
def enable(email: Email, data_dir: DataDir = None, url: Url = None) -> None:
    """Let a disabled user in again. (beta)"""
    with _people(data_dir, url) as people:
        people.disable(people.find(email)["id"], disabled=False)
    stderr().print(f"{email} may sign in again", markup=False)


def _link(made: dict[str, Any], as_json: bool) -> None:
    """Print the link alone on stdout; what it is goes to stderr."""
    if as_json:
        stdout().print(json.dumps({**made["invitation"], "url": made["url"]}), markup=False)
        return
    link = made["invitation"]
    stderr().print(f"{link['kind']} for {link['email']}, until {link['expires_at'][:16]}Z", markup=False)
    if made["url"].startswith("/"):
        stderr().print("No server runs: put its address before this path.", style="dim")
    stdout().print(made["url"], markup=False)
