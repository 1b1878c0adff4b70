"""What the endpoints about oneself take and answer."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from watchkeeper.server.schemas import Model, Time

__all__ = [
    "AcceptIn", "LinkIn", "LinkOut", "MembershipOut", "PasswordIn", "SessionIn", "SessionList", "SessionOut",
    "SignedInOut", "UserOut",
]  # fmt: skip

Email = Annotated[str, Field(max_length=255)]
Password = Annotated[str, Field(max_length=1024)]
Token = Annotated[str, Field(max_length=200)]


class SessionIn(Model):
    """Who signs in."""

    email: Email
    password: Password


class UserOut(Model):
    """A person."""

    id: str
    email: str
    name: str


class MembershipOut(Model):
    """A project and what one may do in it."""

    id: str
    role: str


class SessionOut(Model):
    """Who is speaking, and what they may do.

    `kind` is `none` where nothing was proved that this server knows; `role` is `owner` for who runs the server.
    """

    kind: Literal["none", "local", "key", "session"]
    name: str
    project: str | None
    role: Literal["viewer", "member", "admin", "owner"] | None
    scopes: list[str]
    is_owner: bool
    can_read: bool
    has_users: bool
    user: UserOut | None
    projects: list[MembershipOut]


class SignedInOut(Model):
    """A live session of one's own."""

    id: str
    agent: str
    created_at: Time
    last_seen_at: Time
    current: bool


class SessionList(Model):
    """One's own live sessions, newest first."""

    items: list[SignedInOut]


class PasswordIn(Model):
    """The password of today and the next one."""

    old: Password
    new: Password


class LinkIn(Model):
    """What a link carries behind its `#`."""

    token: Token


class LinkOut(Model):
    """What a link is for. `has_account`: the address can sign in already, with its own password."""

    kind: Literal["invitation", "reset"]
    project: str
    email: str
    role: str
    has_account: bool


class AcceptIn(Model):
    """A link used: a new password, or the known one of who has an account."""

    token: Token
    name: Annotated[str, Field(max_length=100)] | None = None
    password: Password
