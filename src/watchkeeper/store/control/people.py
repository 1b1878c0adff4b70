"""People, their roles in projects, and the links that let them in."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Literal, TypeAlias, get_args

import msgspec
from sqlalchemy import Select, delete, func, select
from sqlalchemy.orm import Session

from watchkeeper.kit.errors import NotFoundError, RequestError
from watchkeeper.kit.ids import new_id
from watchkeeper.store.control.database import Database, nanoseconds
from watchkeeper.store.control.secrets import hashed, new_token
from watchkeeper.store.control.tables import Link, LoginSession, Membership, User

__all__ = ["ROLES", "Invitation", "Member", "People", "Person", "Role", "normal_email"]

Role: TypeAlias = Literal["viewer", "member", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)

_EMAIL = re.compile(r"[^@\s<>\"']{1,64}@[^@\s<>\"']{1,190}")


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A user with the hash of their password and their roles by project."""

    id: str
    email: str
    name: str
    password_hash: str | None
    disabled: bool
    roles: dict[str, str]


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A person in one project. Times are nanoseconds since the epoch."""

    user_id: str
    email: str
    name: str
    role: str
    since: int
    disabled: bool


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """An open link; `user_id` is set where it lets an existing user choose a new password."""

    id: str
    project: str
    email: str
    role: str
    user_id: str | None
    created_by: str
    created_at: int
    expires_at: int


def normal_email(text: str) -> str:
    """Return the address as it is compared and stored: trimmed and in lower case.

    Raises:
        RequestError: it is no address.
    """
    email = text.strip().lower()
    if not _EMAIL.fullmatch(email):
        raise RequestError("that is no e-mail address", hint="for example ada@example.com")
    return email


class People:
    """Users, memberships and links of all projects."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def any_can_sign_in(self) -> bool:
        """Say whether there is a user with a password who is not disabled."""
        able = User.password_hash.is_not(None) & User.disabled_at.is_(None)
        with self._database.read() as session:
            return bool(session.scalar(select(func.count()).select_from(User).where(able)))

    def any_account(self) -> bool:
        """Say whether anyone has an account, disabled or not: then loopback alone proves nothing any more."""
        with self._database.read() as session:
            return session.scalar(select(User.id).limit(1)) is not None

    def by_email(self, email: str) -> Person | None:
        """Return the user of an address, however it is written."""
        return self._person(select(User).where(User.email == email.strip().lower()))

    def by_id(self, user_id: str) -> Person | None:
        """Return a user."""
        return self._person(select(User).where(User.id == user_id))

    def all(self) -> tuple[Person, ...]:
        """Return every user, by address."""
        with self._database.read() as session:
            users = session.scalars(select(User).order_by(User.email)).all()
            roles: dict[str, dict[str, str]] = {}
            for one in session.scalars(select(Membership).order_by(Membership.project)):
                roles.setdefault(one.user_id, {})[one.project] = one.role
            return tuple(_as_person(user, roles.get(user.id, {})) for user in users)

    def rehash(self, user_id: str, password_hash: str) -> None:
        """Store the same password under a stronger hash; sessions and links stay."""
        with self._database.write(quietly=True) as session:
            user = session.get(User, user_id)
            if user is not None:
                user.password_hash = password_hash

    def add(self, email: str, name: str, password_hash: str, project: str, role: Role) -> Person:
        """Make a user who is a member of the project.

        Raises:
            RequestError: the address is none, or is taken.
        """
        email = normal_email(email)
        with self._database.write() as session:
            if session.scalar(select(User.id).where(User.email == email)) is not None:
                raise RequestError(f"there is a user {email} already")
            _add_user(session, email, name, password_hash, project, role, self._database.now())
        return self._known(email)

    def members(self, project: str) -> tuple[Member, ...]:
        """Return the people of a project, by address."""
        with self._database.read() as session:
            rows = session.execute(
                select(User, Membership)
                .join(Membership, Membership.user_id == User.id)
                .where(Membership.project == project)
                .order_by(User.email)
            )
            return tuple(
                Member(
                    user_id=user.id, email=user.email, name=user.name, role=membership.role,
                    since=nanoseconds(membership.created_at), disabled=user.disabled_at is not None,
                )
                for user, membership in rows
            )  # fmt: skip

    def set_role(self, project: str, user_id: str, role: Role | None, *, keep_admin: bool = True) -> None:
        """Give a member another role; None takes them out of the project.

        Raises:
            NotFoundError: they are not in the project.
            RequestError: the project would be left without an admin, and `keep_admin` forbids that.
        """
        with self._database.write() as session:
            found = session.get(Membership, (user_id, project))
            if found is None:
                raise NotFoundError("there is no such member in this project")
            if keep_admin and found.role == "admin" and role != "admin" and _admins(session, project) == 1:
                raise RequestError("a project keeps one admin at least", hint="make another member admin first")
            if role is None:
                session.delete(found)
            else:
                found.role = role

    def add_role(self, project: str, user_id: str, role: Role) -> None:
        """Make an existing user a member, or change what role they have."""
        with self._database.write() as session:
            _join(session, user_id, project, role, self._database.now())

    def set_password(self, user_id: str, password_hash: str, *, keep_session: str | None = None) -> None:
        """Store another password and end every session of the user but `keep_session`; open reset links die too."""
        with self._database.write() as session:
            user = session.get(User, user_id)
            if user is None:
                raise NotFoundError("there is no such user")
            user.password_hash = password_hash
            _end_sessions(session, user_id, keep_session)
            session.execute(delete(Link).where(Link.user_id == user_id))

    def disable(self, user_id: str, *, disabled: bool) -> None:
        """Lock a user out of every project, ending their sessions; or let them in again.

        Raises:
            NotFoundError: there is no such user.
        """
        with self._database.write() as session:
            user = session.get(User, user_id)
            if user is None:
                raise NotFoundError("there is no such user")
            user.disabled_at = self._database.now() if disabled else None
            if disabled:
                _end_sessions(session, user_id, None)
                session.execute(delete(Link).where(Link.user_id == user_id))

    def invite(
        self, project: str, email: str, role: Role, *, by: str, lifetime: timedelta, user_id: str | None = None
    ) -> tuple[Invitation, str]:
        """Make a link and return it with its token, which is kept only as a hash; an older one for the same is gone.

        Raises:
            RequestError: the address is none.
        """
        email, token, now = normal_email(email), new_token(), self._database.now()
        with self._database.write() as session:
            same = (Link.project == project) & (Link.email == email)
            same &= Link.user_id.is_(None) if user_id is None else Link.user_id == user_id
            session.execute(delete(Link).where(same | (Link.expires_at <= now)))
            row = Link(
                id=new_id(), project=project, email=email, role=role, user_id=user_id, token_sha256=hashed(token),
                created_by=by, created_at=now, expires_at=now + lifetime,
            )  # fmt: skip
            session.add(row)
            made = _invitation(row)
        return made, token

    def invitations(self, project: str) -> tuple[Invitation, ...]:
        """Return the open links of a project, newest first."""
        with self._database.read() as session:
            rows = session.scalars(
                select(Link)
                .where(Link.project == project, Link.expires_at > self._database.now())
                .order_by(Link.created_at.desc(), Link.id.desc())
            )
            return tuple(_invitation(row) for row in rows)

    def withdraw(self, project: str, link_id: str) -> bool:
        """Make an open link useless; say whether there was one in the project."""
        with self._database.write() as session:
            row = session.scalar(select(Link).where(Link.project == project, Link.id == link_id))
            if row is None:
                return False
            session.delete(row)
            return True

    def open_link(self, token: str) -> Invitation | None:
        """Return the link of a token, None where it is unknown, used or expired."""
        with self._database.read() as session:
            row = session.scalar(_by_token(token, self._database.now()))
            return _invitation(row) if row is not None else None

    def accept(self, token: str, *, name: str, password_hash: str | None) -> Person:
        """Use a link up: make the user, or let the existing one into the project, or store the new password.

        Args:
            token: what the link carries.
            name: what a new user wants to be called.
            password_hash: for a new user and for a reset; None for an existing user, who proved theirs before.

        Raises:
            NotFoundError: the link is unknown, used or expired.
        """
        now = self._database.now()
        with self._database.write() as session:
            link = session.scalar(_by_token(token, now).with_for_update())
            # Whoever deletes it first has it: a link is good once, however many use it at the same moment.
            if link is None or not session.execute(delete(Link).where(Link.id == link.id)).rowcount:  # type: ignore[attr-defined]
                raise NotFoundError("the link is not good, or no longer", hint="ask for a new one")
            email = link.email
            user = session.scalar(select(User).where(User.email == email))
            if user is None and password_hash is not None:
                _add_user(session, link.email, name, password_hash, link.project, link.role, now)
            elif user is not None and link.user_id is not None and password_hash is not None:
                user.password_hash = password_hash
                _end_sessions(session, user.id, None)
            elif user is not None and link.user_id is None and password_hash is None:
                _join(session, user.id, link.project, link.role, now)
            else:
                raise NotFoundError("the link is not good, or no longer", hint="ask for a new one")
        return self._known(email)

    def _known(self, email: str) -> Person:
        found = self.by_email(email)
        if found is None:
            raise NotFoundError("the user is gone")
        return found

    def _person(self, question: Select[User]) -> Person | None:
        with self._database.read() as session:
            user = session.scalar(question)
            if user is None:
                return None
            roles = session.execute(
                select(Membership.project, Membership.role)
                .where(Membership.user_id == user.id)
                .order_by(Membership.project)
            )
            return _as_person(user, dict(roles.all()))


def _as_person(user: User, roles: dict[str, str]) -> Person:
    return Person(
        id=user.id, email=user.email, name=user.name, password_hash=user.password_hash,
        disabled=user.disabled_at is not None, roles=roles,
    )  # fmt: skip


def _add_user(
    session: Session, email: str, name: str, password_hash: str, project: str, role: str, now: datetime
) -> None:
    user = User(id=new_id(), email=email, name=name.strip() or email, password_hash=password_hash, created_at=now)
    session.add(user)
    session.flush()
    _join(session, user.id, project, role, now)


def _join(session: Session, user_id: str, project: str, role: str, now: datetime) -> None:
    found = session.get(Membership, (user_id, project))
    if found is None:
        session.add(Membership(user_id=user_id, project=project, role=role, created_at=now))
    else:
        found.role = role


def _end_sessions(session: Session, user_id: str, keep: str | None) -> None:
    ended = delete(LoginSession).where(LoginSession.user_id == user_id)
    session.execute(ended if keep is None else ended.where(LoginSession.id != keep))


def _admins(session: Session, project: str) -> int:
    able = (
        select(func.count())
        .select_from(Membership)
        .join(User, User.id == Membership.user_id)
        .where(Membership.project == project, Membership.role == "admin", User.disabled_at.is_(None))
    )
    return session.scalar(able) or 0


def _by_token(token: str, now: datetime) -> Select[Link]:
    return select(Link).where(Link.token_sha256 == hashed(token), Link.expires_at > now)


def _invitation(row: Link) -> Invitation:
    return Invitation(
        id=row.id, project=row.project, email=row.email, role=row.role, user_id=row.user_id,
        created_by=row.created_by, created_at=nanoseconds(row.created_at), expires_at=nanoseconds(row.expires_at),
    )  # fmt: skip
