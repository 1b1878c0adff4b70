"""Key pairs: made, found by their secret, rotated, revoked."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Literal, TypeAlias, get_args

import msgspec
from sqlalchemy import Select, func, or_, select

from watchkeeper.kit.errors import NotFoundError, RequestError, StoreError
from watchkeeper.kit.ids import new_id
from watchkeeper.store.control.database import Database, nanoseconds
from watchkeeper.store.control.secrets import hashed, new_public_id, new_secret
from watchkeeper.store.control.tables import ApiKey

__all__ = ["SCOPES", "Key", "KeyPair", "Keys", "Scope"]

Scope: TypeAlias = Literal["ingest", "read", "admin"]
SCOPES: frozenset[str] = frozenset(get_args(Scope))

LONGEST_NAME = 100
_TOUCH = timedelta(minutes=10)
_log = logging.getLogger("watchkeeper.store")


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """What may be shown of a key pair. Times are nanoseconds since the epoch.

    `last_used_at` lags by up to ten minutes: it is not written on every request.
    """

    public_id: str
    project: str
    name: str
    scopes: tuple[str, ...]
    created_at: int
    created_by: str | None
    last_used_at: int | None
    expires_at: int | None
    revoked_at: int | None
    replaced_by: str | None

    def alive(self, now_ns: int) -> bool:
        """Say whether it opens anything at this time."""
        return self.revoked_at is None and (self.expires_at is None or now_ns < self.expires_at)


class KeyPair(msgspec.Struct, frozen=True):
    """A key with its secret: seen once, when it is made."""

    key: Key
    secret: str


class Keys:
    """The key pairs of all projects."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self,
        project: str,
        scopes: tuple[Scope, ...],
        *,
        name: str = "",
        by: str | None = None,
        lifetime: timedelta | None = None,
        pair: tuple[str, str] | None = None,
    ) -> KeyPair:
        """Make a key pair in an existing project.

        Args:
            project: the project it decides.
            scopes: what it may do; one at least.
            name: what people call it.
            by: who made it.
            lifetime: when it ends by itself, None for never.
            pair: a public id and a secret chosen elsewhere, for headless set-up.

        Raises:
            RequestError: a scope is not known, the name is too long, or the public id or the secret is taken.
        """
        unknown = [scope for scope in scopes if scope not in SCOPES]
        if unknown or not scopes:
            raise RequestError(f"unknown scopes: {unknown}", hint=f"scopes are {', '.join(sorted(SCOPES))}")
        if len(name) > LONGEST_NAME:
            raise RequestError(f"a key's name has at most {LONGEST_NAME} characters")
        public_id, secret = pair or (new_public_id(), new_secret())
        with self._database.write() as session:
            taken = select(ApiKey.id).where((ApiKey.public_id == public_id) | (ApiKey.secret_sha256 == hashed(secret)))
            if session.scalar(taken) is not None:
                raise RequestError(f"the key {public_id!r} is taken", hint="choose another")
            now = self._database.now()
            row = ApiKey(
                id=new_id(), project=project, public_id=public_id, secret_sha256=hashed(secret),
                scopes=" ".join(sorted(set(scopes))), created_at=now, name=name, created_by=by,
                expires_at=None if lifetime is None else now + lifetime,
            )  # fmt: skip
            session.add(row)
            session.flush()
            made = _key(row)
        return KeyPair(made, secret)

    def list(self, project: str) -> tuple[Key, ...]:
        """Return the keys of a project, revoked and expired ones too, newest first."""
        with self._database.read() as session:
            rows = session.scalars(
                select(ApiKey).where(ApiKey.project == project).order_by(ApiKey.created_at.desc(), ApiKey.id.desc())
            )
            return tuple(_key(row) for row in rows)

    def get(self, public_id: str) -> Key | None:
        """Return a key by its public id."""
        with self._database.read() as session:
            row = session.scalar(select(ApiKey).where(ApiKey.public_id == public_id))
            return _key(row) if row is not None else None

    def rotate(self, project: str, public_id: str, *, overlap: timedelta, by: str | None = None) -> KeyPair:
        """Make a successor with the same name, scopes and lifetime; the old pair works for `overlap` more.

        Raises:
            NotFoundError: there is no such live key in the project, or it was rotated already.
        """
        with self._database.write() as session:
            old = self._live(session.scalar(_one(project, public_id)), public_id)
            if old.replaced_by is not None:
                raise NotFoundError(
                    f"the key {public_id} was rotated already, into {old.replaced_by}", hint="rotate that one"
                )
            now, secret = self._database.now(), new_secret()
            lifetime = None if old.expires_at is None else old.expires_at - old.created_at
            row = ApiKey(
                id=new_id(), project=project, public_id=new_public_id(), secret_sha256=hashed(secret),
                scopes=old.scopes, created_at=now, name=old.name, created_by=by,
                expires_at=None if lifetime is None else now + lifetime,
            )  # fmt: skip
            session.add(row)
            old.replaced_by = row.public_id
            end = now + overlap
            old.expires_at = end if old.expires_at is None else min(end, old.expires_at)
            session.flush()
            made = _key(row)
        return KeyPair(made, secret)

    def revoke(self, project: str, public_id: str) -> bool:
        """Revoke a key from now on; say whether there was one to revoke in the project."""
        with self._database.write() as session:
            found = session.scalar(_one(project, public_id))
            if found is None or found.revoked_at is not None:
                return False
            found.revoked_at = self._database.now()
            return True

    def replace_secret(self, public_id: str, secret: str) -> bool:
        """Give a key another secret, chosen elsewhere; say whether that changed anything.

        Raises:
            RequestError: the secret belongs to another key.
        """
        with self._database.write() as session:
            row = session.scalar(select(ApiKey).where(ApiKey.public_id == public_id))
            if row is None or row.secret_sha256 == hashed(secret):
                return False
            if session.scalar(select(ApiKey.id).where(ApiKey.secret_sha256 == hashed(secret))) is not None:
                raise RequestError("the secret belongs to another key", hint="choose another")
            row.secret_sha256 = hashed(secret)
            return True

    def find(self, digest: str) -> Key | None:
        """Return the live key whose secret has this SHA-256, and note its use if the last note is old."""
        now = self._database.now()
        with self._database.read() as session:
            row = session.scalar(select(ApiKey).where(ApiKey.secret_sha256 == digest))
            found = _key(row) if row is not None and _is_live(row, now) else None
            stale = row is not None and (row.last_used_at is None or now - row.last_used_at > _TOUCH)
        if found is not None and stale:
            self._touch(digest, now)
        return found

    def any_live(self) -> bool:
        """Say whether any key opens anything now."""
        live = ApiKey.revoked_at.is_(None) & or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > self._database.now())
        with self._database.read() as session:
            return bool(session.scalar(select(func.count()).select_from(ApiKey).where(live)))

    def _touch(self, digest: str, now: datetime) -> None:
        try:
            with self._database.write(quietly=True) as session:
                row = session.scalar(select(ApiKey).where(ApiKey.secret_sha256 == digest))
                if row is not None:
                    row.last_used_at = now
        except StoreError as error:
            # A full disk must not lock out who wants to free some.
            _log.warning("the use of a key was not noted: %s", error.message)

    def _live(self, row: ApiKey | None, public_id: str) -> ApiKey:
        if row is None or not _is_live(row, self._database.now()):
            raise NotFoundError(f"there is no live key {public_id} in this project")
        return row


def _one(project: str, public_id: str) -> Select[ApiKey]:
    return select(ApiKey).where(ApiKey.project == project, ApiKey.public_id == public_id)


def _is_live(row: ApiKey, now: datetime) -> bool:
    return row.revoked_at is None and (row.expires_at is None or now < row.expires_at)


def _key(row: ApiKey) -> Key:
    def stamp(value: datetime | None) -> int | None:
        return None if value is None else nanoseconds(value)

    return Key(
        public_id=row.public_id, project=row.project, name=row.name, scopes=tuple(row.scopes.split()),
        created_at=nanoseconds(row.created_at), created_by=row.created_by, last_used_at=stamp(row.last_used_at),
        expires_at=stamp(row.expires_at), revoked_at=stamp(row.revoked_at), replaced_by=row.replaced_by,
    )  # fmt: skip
