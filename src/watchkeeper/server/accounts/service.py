"""Signing in, one's own sessions and password, and links that let people in."""

from __future__ import annotations

import logging

from watchkeeper.kit.errors import NotFoundError, RequestError, UnauthenticatedError
from watchkeeper.server.accounts.schemas import (
    AcceptIn,
    LinkOut,
    MembershipOut,
    PasswordIn,
    SessionIn,
    SessionList,
    SessionOut,
    SignedInOut,
    UserOut,
)
from watchkeeper.server.gate import ROLE_SCOPES, Caller
from watchkeeper.server.passwords import Passwords, acceptable
from watchkeeper.server.throttle import Throttle
from watchkeeper.store.control.people import Invitation, Person
from watchkeeper.store.factory import ControlStore

__all__ = ["AccountService"]

_log = logging.getLogger("watchkeeper.access")
_BY_PAIR, _BY_EITHER = 10, 100


class AccountService:
    """What people do with their own account.

    Failed passwords are counted by account and network address together, and by each with a higher limit, so that who
    guesses elsewhere does not soon lock the owner out.
    """

    def __init__(self, control: ControlStore, passwords: Passwords | None = None) -> None:
        self._control = control
        self._passwords = passwords or Passwords()
        self._pairs, self._either = Throttle(_BY_PAIR), Throttle(_BY_EITHER)

    def whoami(self, caller: Caller | None) -> SessionOut:
        """Say who is speaking."""
        has_users = self._control.people.any_account()
        if caller is None:
            return SessionOut(
                kind="none", name="", project=None, role=None, scopes=[], is_owner=False, can_read=False,
                has_users=has_users, user=None, projects=[],
            )  # fmt: skip
        person = None if caller.user_id is None else self._control.people.by_id(caller.user_id)
        role = "owner" if caller.is_owner else (person.roles.get(caller.project) if person is not None else None)
        return SessionOut(
            kind=caller.kind, name=caller.name, project=caller.project,
            role=role,  # type: ignore[arg-type]  # pydantic checks it
            scopes=sorted(caller.scopes), is_owner=caller.is_owner, can_read="read" in caller.scopes,
            has_users=has_users, user=None if person is None else _user(person), projects=self._projects(caller, person),
        )  # fmt: skip

    def sign_in(self, given: SessionIn, *, address: str, agent: str) -> tuple[str, SessionOut]:
        """Check a password and begin a session; return its token.

        Raises:
            UnauthenticatedError: no such account, another password, or it is disabled: the same words for each.
            OverloadedError: too many failures for the account or from the address, or too many logins at once.
        """
        person = self._control.people.by_email(given.email)
        self._prove(person, given.email, given.password, address)
        if person is None:
            raise _wrong()
        if person.password_hash is not None and self._passwords.outdated(person.password_hash):
            self._control.people.rehash(person.id, self._passwords.hash(given.password))
        _log.info("%s signed in from %s", person.email, address)
        return self._begin(person, agent)

    def sign_out(self, caller: Caller) -> None:
        """End the session of this browser, if there is one."""
        if caller.user_id is not None and caller.session_id is not None:
            self._control.sessions.end(caller.user_id, caller.session_id)

    def sessions(self, caller: Caller) -> SessionList:
        """Return one's own live sessions, newest first."""
        return SessionList(
            items=[
                SignedInOut(
                    id=one.id, agent=one.agent,
                    created_at=one.created_at,  # type: ignore[arg-type]  # pydantic turns ns into a time
                    last_seen_at=one.last_seen_at,  # type: ignore[arg-type]
                    current=one.id == caller.session_id,
                )
                for one in self._control.sessions.of(_person_of(caller))
            ]
        )  # fmt: skip

    def end_session(self, caller: Caller, session_id: str) -> None:
        """End one of one's own sessions.

        Raises:
            NotFoundError: it is not one's own, or over.
        """
        if not self._control.sessions.end(_person_of(caller), session_id):
            raise NotFoundError("there is no such session")

    def change_password(self, caller: Caller, given: PasswordIn, *, address: str) -> None:
        """Choose another password; every other session of the account ends.

        Raises:
            RequestError: the old one is wrong, or the new one is too weak.
            OverloadedError: too many failures.
        """
        person = self._control.people.by_id(_person_of(caller))
        if person is None:
            raise NotFoundError("the user is gone")
        acceptable(given.new, email=person.email)
        try:
            self._prove(person, person.email, given.old, address)
        except UnauthenticatedError:
            raise RequestError("the old password is not right") from None
        self._control.people.set_password(person.id, self._passwords.hash(given.new), keep_session=caller.session_id)
        _log.info("%s changed their password", person.email)

    def open_link(self, token: str) -> LinkOut:
        """Say what a link is for, without using it up.

        Raises:
            NotFoundError: it is unknown, used or expired.
        """
        link, person = self._link(token)
        return LinkOut(
            kind="invitation" if link.user_id is None else "reset", project=link.project, email=link.email,
            role=link.role, has_account=person is not None,
        )  # fmt: skip

    def accept_link(self, given: AcceptIn, *, address: str, agent: str) -> tuple[str, SessionOut]:
        """Use a link up and sign in; return the session's token.

        Raises:
            NotFoundError: it is unknown, used or expired.
            RequestError: the password may not be chosen.
            UnauthenticatedError: the address has an account, and this is not its password.
        """
        link, person = self._link(given.token)
        hashed = None
        if person is not None and link.user_id is None:
            self._prove(person, person.email, given.password, address)
        else:
            hashed = self._passwords.hash(acceptable(given.password, email=link.email))
        person = self._control.people.accept(given.token, name=given.name or "", password_hash=hashed)
        _log.info("%s used a link to %s, made by %s", person.email, link.project, link.created_by)
        return self._begin(person, agent)

    def _link(self, token: str) -> tuple[Invitation, Person | None]:
        link = self._control.people.open_link(token)
        if link is None:
            raise NotFoundError("the link is not good, or no longer", hint="ask for a new one")
        return link, self._control.people.by_email(link.email)

    def _prove(self, person: Person | None, email: str, password: str, address: str) -> None:
        """Check a password; a wrong one counts, an account that is not there looks like one that is."""
        account = email.strip().lower()
        pair = f"{account} {address}"
        self._pairs.check(pair)
        self._either.check(account)
        self._either.check(address)
        right = self._passwords.verify(None if person is None else person.password_hash, password)
        if not right or person is None or person.disabled:
            self._pairs.failed(pair)
            self._either.failed(account)
            self._either.failed(address)
            _log.warning("a login as %s from %s failed", account[:200], address)
            raise _wrong()
        self._pairs.forget(pair)

    def _begin(self, person: Person, agent: str) -> tuple[str, SessionOut]:
        project = next(iter(person.roles), None)
        if project is None:
            raise UnauthenticatedError("this account is in no project", hint="ask an admin for an invitation")
        token = self._control.sessions.start(person.id, agent)
        caller = Caller(project, "session", person.email, ROLE_SCOPES[person.roles[project]], user_id=person.id)
        return token, self.whoami(caller)

    def _projects(self, caller: Caller, person: Person | None) -> list[MembershipOut]:
        if person is not None:
            return [MembershipOut(id=project, role=role) for project, role in person.roles.items()]
        if caller.is_owner:
            return [MembershipOut(id=project, role="owner") for project in self._control.projects()]
        return []


def _user(person: Person) -> UserOut:
    return UserOut(id=person.id, email=person.email, name=person.name)


def _person_of(caller: Caller) -> str:
    if caller.user_id is None:
        raise RequestError("this is for who is signed in, not for keys", hint="sign in first")
    return caller.user_id


def _wrong() -> UnauthenticatedError:
    return UnauthenticatedError("the address or the password is not right")
