"""What the endpoints about people take and answer."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from watchkeeper.server.accounts.schemas import MembershipOut
from watchkeeper.server.schemas import Model, Time
from watchkeeper.store.control.people import Invitation, Member, Person

__all__ = [
    "InvitationIn", "InvitationList", "InvitationMade", "InvitationOut", "MemberList", "MemberOut", "RoleIn",
    "UserIn", "UserList", "UserRow",
]  # fmt: skip

Role = Literal["viewer", "member", "admin"]


class MemberOut(Model):
    """A person of the project."""

    user_id: str
    email: str
    name: str
    role: str
    since: Time
    disabled: bool

    @classmethod
    def of(cls, member: Member) -> MemberOut:
        """Build it from the store's record."""
        return cls(
            user_id=member.user_id, email=member.email, name=member.name, role=member.role,
            since=member.since,  # type: ignore[arg-type]  # pydantic turns ns into a time
            disabled=member.disabled,
        )  # fmt: skip


class MemberList(Model):
    """The people of the project, by address."""

    items: list[MemberOut]


class RoleIn(Model):
    """What a member may do from now on."""

    role: Role


class InvitationIn(Model):
    """Whom to let in, as what, and for how long the link is good."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"email": "ada@example.com", "role": "member"}]}
    )

    email: Annotated[str, Field(max_length=255)]
    role: Role
    expires_in_hours: Annotated[float, Field(gt=0, le=24 * 30, allow_inf_nan=False)] = 72


class InvitationOut(Model):
    """An open link, without its token."""

    id: str
    kind: Literal["invitation", "reset"]
    email: str
    role: str
    created_by: str
    created_at: Time
    expires_at: Time

    @classmethod
    def of(cls, link: Invitation) -> InvitationOut:
        """Build it from the store's record."""
        return cls(
            id=link.id, kind="invitation" if link.user_id is None else "reset", email=link.email, role=link.role,
            created_by=link.created_by,
            created_at=link.created_at,  # type: ignore[arg-type]  # pydantic turns ns into a time
            expires_at=link.expires_at,  # type: ignore[arg-type]
        )  # fmt: skip


class InvitationList(Model):
    """The open links of the project, newest first."""

    items: list[InvitationOut]


class InvitationMade(Model):
    """A new link. Its address is shown this once; whoever has it can use it."""

    invitation: InvitationOut
    url: str


class UserIn(Model):
    """Whether a user is locked out of every project."""

    disabled: bool


class UserRow(Model):
    """A user of the server, with their role in each project."""

    id: str
    email: str
    name: str
    disabled: bool
    projects: list[MembershipOut]

    @classmethod
    def of(cls, person: Person) -> UserRow:
        """Build it from the store's record."""
        return cls(
            id=person.id, email=person.email, name=person.name, disabled=person.disabled,
            projects=[MembershipOut(id=project, role=role) for project, role in person.roles.items()],
        )  # fmt: skip


class UserList(Model):
    """Every user of the server, by address."""

    items: list[UserRow]
