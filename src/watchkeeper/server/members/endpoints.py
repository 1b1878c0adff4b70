"""`/api/v1/members`, `/invitations` and `/users`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request

from watchkeeper.server.gate import Caller
from watchkeeper.server.members.schemas import (
    InvitationIn,
    InvitationList,
    InvitationMade,
    MemberList,
    RoleIn,
    UserIn,
    UserList,
)
from watchkeeper.server.members.service import MemberService
from watchkeeper.server.request import caller, services

__all__ = ["router"]

router = APIRouter(tags=["members"])

Who = Annotated[Caller, Depends(caller)]
Members = Annotated[MemberService, Depends(services(lambda parts: parts.members))]
Id = Annotated[str, Path(max_length=200)]


@router.get("/members")
def list_members(who: Who, members: Members) -> MemberList:
    """List the project's people, by address."""
    return members.list(who.project)


@router.put("/members/{user_id}", status_code=204)
def set_role(who: Who, members: Members, user_id: Id, body: RoleIn) -> None:
    """Give a member another role, at once."""
    members.set_role(who.project, user_id, body, by=who.name, owner=who.is_owner)


@router.delete("/members/{user_id}", status_code=204)
def remove_member(who: Who, members: Members, user_id: Id) -> None:
    """Take a member out of the project, at once; the account stays."""
    members.remove(who.project, user_id, by=who.name, owner=who.is_owner)


@router.post("/members/{user_id}/reset", status_code=201)
def reset_password(request: Request, who: Who, members: Members, user_id: Id) -> InvitationMade:
    """Make a link with which a member chooses a new password; good for a day, once."""
    return members.reset(who.project, user_id, str(request.base_url), by=who.name, owner=who.is_owner)


@router.get("/invitations")
def list_invitations(who: Who, members: Members) -> InvitationList:
    """List the project's open links, newest first, without their tokens."""
    return members.invitations(who.project)


@router.post("/invitations", status_code=201)
def invite(request: Request, who: Who, members: Members, body: InvitationIn) -> InvitationMade:
    """Make a link that lets one address into the project. No mail is sent: the link is in this answer."""
    return members.invite(who.project, body, str(request.base_url), by=who.name)


@router.delete("/invitations/{invitation_id}", status_code=204)
def withdraw(who: Who, members: Members, invitation_id: Id) -> None:
    """Make an open link useless."""
    members.withdraw(who.project, invitation_id, by=who.name)


@router.get("/users")
def list_users(members: Members) -> UserList:
    """List every user of the server with their projects; for who runs the server."""
    return members.users()


@router.put("/users/{user_id}", status_code=204)
def disable_user(who: Who, members: Members, user_id: Id, body: UserIn) -> None:
    """Lock a user out of every project, ending their sessions, or let them in again; for who runs the server."""
    members.disable(user_id, disabled=body.disabled, by=who.name)
