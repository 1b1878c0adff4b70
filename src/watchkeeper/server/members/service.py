"""The people of a project, invitations, and what only who runs the server may do to an account."""

from __future__ import annotations

import logging
from datetime import timedelta

from watchkeeper.kit.errors import ForbiddenError, NotFoundError, RequestError
from watchkeeper.server.members.schemas import (
    InvitationIn,
    InvitationList,
    InvitationMade,
    InvitationOut,
    MemberList,
    MemberOut,
    RoleIn,
    UserList,
    UserRow,
)
from watchkeeper.store.control.people import Invitation
from watchkeeper.store.factory import ControlStore

__all__ = ["MemberService"]

_RESET = timedelta(hours=24)
_log = logging.getLogger("watchkeeper.access")


class MemberService:
    """Lists, invites, changes and removes the people of one project at a time.

    `by` names who does it, for the log and the invitation; `owner` says that it is who runs the server.
    """

    def __init__(self, control: ControlStore) -> None:
        self._people = control.people

    def list(self, project: str) -> MemberList:
        """Return the project's people, by address."""
        return MemberList(items=[MemberOut.of(member) for member in self._people.members(project)])

    def set_role(self, project: str, user_id: str, given: RoleIn, *, by: str, owner: bool) -> None:
        """Give a member another role.

        Raises:
            NotFoundError: they are not in the project.
            RequestError: it would leave the project without an admin.
        """
        self._people.set_role(project, user_id, given.role, keep_admin=not owner)
        _log.info("%s made %s %s of %s", by, user_id, given.role, project)

    def remove(self, project: str, user_id: str, *, by: str, owner: bool) -> None:
        """Take a member out of the project; the account stays.

        Raises:
            NotFoundError: they are not in the project.
            RequestError: it would leave the project without an admin.
        """
        self._people.set_role(project, user_id, None, keep_admin=not owner)
        _log.info("%s removed %s from %s", by, user_id, project)

    def reset(self, project: str, user_id: str, base: str, *, by: str, owner: bool) -> InvitationMade:
        """Make a link with which a member chooses a new password.

        Raises:
            NotFoundError: they are not in the project.
            ForbiddenError: they are in other projects too, of which this admin would get hold that way.
            RequestError: the account is disabled.
        """
        person = self._people.by_id(user_id)
        if person is None or project not in person.roles:
            raise NotFoundError("there is no such member in this project")
        if person.disabled:
            raise RequestError("the account is disabled", hint="watchkeeper users enable")
        if len(person.roles) > 1 and not owner:
            raise ForbiddenError(
                "they are in other projects too, so only who runs the server may reset their password",
                hint="watchkeeper users reset, on the server's machine",
            )
        link, token = self._people.invite(
            project, person.email, person.roles[project],  # type: ignore[arg-type]  # one of ROLES by the store
            by=by, lifetime=_RESET, user_id=user_id,
        )  # fmt: skip
        _log.info("%s made a reset link for %s", by, person.email)
        return _made(link, token, base)

    def invitations(self, project: str) -> InvitationList:
        """Return the project's open links, newest first."""
        return InvitationList(items=[InvitationOut.of(link) for link in self._people.invitations(project)])

    def invite(self, project: str, given: InvitationIn, base: str, *, by: str) -> InvitationMade:
        """Make a link that lets one address into the project.

        Raises:
            RequestError: the address is none, or a member's already.
        """
        person = self._people.by_email(given.email)
        if person is not None and project in person.roles:
            raise RequestError(f"{person.email} is a member already", hint="change their role instead")
        link, token = self._people.invite(
            project, given.email, given.role, by=by, lifetime=timedelta(hours=given.expires_in_hours)
        )
        _log.info("%s invited %s into %s as %s", by, link.email, project, link.role)
        return _made(link, token, base)

    def withdraw(self, project: str, link_id: str, *, by: str) -> None:
        """Make an open link useless.

        Raises:
            NotFoundError: there is none such in the project.
        """
        if not self._people.withdraw(project, link_id):
            raise NotFoundError("there is no such open link in this project")
        _log.info("%s withdrew the link %s of %s", by, link_id, project)

    def users(self) -> UserList:
        """Return every user of the server, by address."""
        return UserList(items=[UserRow.of(person) for person in self._people.all()])

    def disable(self, user_id: str, *, disabled: bool, by: str) -> None:
        """Lock a user out of every project, ending their sessions; or let them in again.

        Raises:
            NotFoundError: there is no such user.
        """
        self._people.disable(user_id, disabled=disabled)
        _log.info("%s %s %s", by, "disabled" if disabled else "enabled", user_id)


def _made(link: Invitation, token: str, base: str) -> InvitationMade:
    # Behind the #, so that neither a log nor a Referer header ever holds it.
    return InvitationMade(invitation=InvitationOut.of(link), url=f"{base.rstrip('/')}/invite#{token}")
