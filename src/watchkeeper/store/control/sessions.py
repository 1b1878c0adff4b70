"""Signed-in browsers."""

from __future__ import annotations

from datetime import timedelta

import msgspec
from sqlalchemy import delete, select

from watchkeeper.kit.ids import new_id
from watchkeeper.store.control.database import Database, nanoseconds
from watchkeeper.store.control.secrets import hashed, new_token
from watchkeeper.store.control.tables import LoginSession, Membership, User

__all__ = ["ABSOLUTE", "IDLE", "Sessions", "SignedIn"]

IDLE = timedelta(hours=12)
"""A session ends when nothing was asked for so long."""

ABSOLUTE = timedelta(days=14)
"""A session ends so long after the login, whatever was asked."""

_TOUCH = timedelta(minutes=5)


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """A live session, who it is and what they may do. Times are nanoseconds since the epoch."""

    id: str
    user_id: str
    email: str
    name: str
    roles: dict[str, str]
    agent: str
    created_at: int
    last_seen_at: int


class Sessions:
    """The sessions of all users. A token is kept only as a hash."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def start(self, user_id: str, agent: str) -> str:
        """Begin a session and return its token; ended ones of anyone are cleared away."""
        token, now = new_token(), self._database.now()
        with self._database.write(quietly=True) as session:
            over = (LoginSession.expires_at <= now) | (LoginSession.last_seen_at <= now - IDLE)
            session.execute(delete(LoginSession).where(over))
            session.add(
                LoginSession(
                    id=new_id(), user_id=user_id, token_sha256=hashed(token), agent=agent[:200], created_at=now,
                    last_seen_at=now, expires_at=now + ABSOLUTE,
                )
            )  # fmt: skip
        return token

    def find(self, digest: str) -> SignedIn | None:
        """Return the live session whose token has this SHA-256; seen at most every five minutes, since that writes."""
        now = self._database.now()
        with self._database.read() as session:
            row = session.execute(
                select(LoginSession, User)
                .join(User, User.id == LoginSession.user_id)
                .where(
                    LoginSession.token_sha256 == digest,
                    LoginSession.expires_at > now,
                    LoginSession.last_seen_at > now - IDLE,
                    User.disabled_at.is_(None),
                )
            ).first()
            if row is None:
                return None
            login, user = row
            roles = session.execute(
                select(Membership.project, Membership.role)
                .where(Membership.user_id == user.id)
                .order_by(Membership.project)
            )
            found = _signed_in(login, user, dict(roles.all()))
            stale = now - login.last_seen_at > _TOUCH
        if stale:
            with self._database.write(quietly=True) as session:
                again = session.get(LoginSession, found.id)
                if again is not None:
                    again.last_seen_at = now
        return found

    def of(self, user_id: str) -> tuple[SignedIn, ...]:
        """Return a user's live sessions, newest first."""
        now = self._database.now()
        with self._database.read() as session:
            rows = session.execute(
                select(LoginSession, User)
                .join(User, User.id == LoginSession.user_id)
                .where(LoginSession.user_id == user_id, LoginSession.expires_at > now)
                .where(LoginSession.last_seen_at > now - IDLE)
                .order_by(LoginSession.created_at.desc(), LoginSession.id.desc())
            )
            return tuple(_signed_in(login, user, {}) for login, user in rows)

    def end(self, user_id: str, session_id: str) -> bool:
        """End one of a user's sessions; say whether there was such."""
        with self._database.write() as session:
            row = session.get(LoginSession, session_id)
            if row is None or row.user_id != user_id:
                return False
            session.delete(row)
            return True


def _signed_in(login: LoginSession, user: User, roles: dict[str, str]) -> SignedIn:
    return SignedIn(
        id=login.id, user_id=user.id, email=user.email, name=user.name, roles=roles, agent=login.agent,
        created_at=nanoseconds(login.created_at), last_seen_at=nanoseconds(login.last_seen_at),
    )  # fmt: skip
