"""Projects and API keys in SQLite: small, durable, migrated by Alembic."""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from sqlalchemy import Engine, create_engine, event, inspect, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from watchkeeper.kit.errors import RequestError, StoreError, StoreFormatError, StoreFullError
from watchkeeper.kit.ids import new_id
from watchkeeper.store.control.tables import HEAD, KNOWN, ApiKey, Project

__all__ = ["SCOPES", "ControlStore", "Scope"]

Scope: TypeAlias = Literal["ingest", "read", "admin"]
SCOPES: frozenset[str] = frozenset(get_args(Scope))
_PROJECT_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_VERSION = "SELECT version_num FROM alembic_version"


class ControlStore:
    """Who may do what. Every method may be called from any thread.

    Raises:
        StoreFormatError: the file was written by a newer release.
        StoreError: it cannot be opened.
    """

    def __init__(self, path: Path | None) -> None:
        self._engine = _engine(path)
        try:
            with _translated():
                _migrate(self._engine)
        except StoreError:
            self._engine.dispose()
            raise

    def ensure_project(self, project: str, name: str | None = None) -> None:
        """Make the project where it is missing.

        Raises:
            RequestError: the id is not 1 to 63 of a-z, 0-9, - and _, beginning with a letter or digit.
        """
        if not _PROJECT_ID.fullmatch(project):
            raise RequestError(f"{project!r} is not a project id", hint="use a-z, 0-9, - and _, at most 63")
        with _translated(), Session(self._engine) as session, session.begin():
            if session.get(Project, project) is None:
                session.add(Project(id=project, name=name or project, created_at=_now()))

    def projects(self) -> tuple[str, ...]:
        """Return the ids of all projects, sorted."""
        with _translated(), Session(self._engine) as session:
            return tuple(session.scalars(select(Project.id).order_by(Project.id)))

    def add_key(self, project: str, public_id: str, secret: str, scopes: tuple[Scope, ...]) -> None:
        """Add a key pair to a project, which is made where it is missing. The secret is kept only as a hash.

        Raises:
            RequestError: a scope is not known, or the public id or the secret is taken.
        """
        unknown = [scope for scope in scopes if scope not in SCOPES]
        if unknown or not scopes:
            raise RequestError(f"unknown scopes: {unknown}", hint=f"scopes are {', '.join(sorted(SCOPES))}")
        self.ensure_project(project)
        with _translated(), Session(self._engine) as session, session.begin():
            taken = select(ApiKey.id).where((ApiKey.public_id == public_id) | (ApiKey.secret_sha256 == _hash(secret)))
            if session.scalar(taken) is not None:
                raise RequestError(f"the key {public_id!r} is taken", hint="choose another")
            session.add(
                ApiKey(
                    id=new_id(),
                    project=project,
                    public_id=public_id,
                    secret_sha256=_hash(secret),
                    scopes=" ".join(sorted(set(scopes))),
                    created_at=_now(),
                )
            )

    def revoke_key(self, public_id: str) -> bool:
        """Revoke a key from now on; say whether there was one to revoke."""
        with _translated(), Session(self._engine) as session, session.begin():
            found = session.scalar(select(ApiKey).where(ApiKey.public_id == public_id, ApiKey.revoked_at.is_(None)))
            if found is None:
                return False
            found.revoked_at = _now()
            return True

    def project_for_secret(self, secret: str) -> tuple[str, frozenset[str]] | None:
        """Return the project and the scopes of a secret key; None when it is unknown or revoked."""
        with _translated(), Session(self._engine) as session:
            found = session.execute(
                select(ApiKey.project, ApiKey.scopes).where(
                    ApiKey.secret_sha256 == _hash(secret), ApiKey.revoked_at.is_(None)
                )
            ).first()
        return (found.project, frozenset(found.scopes.split())) if found is not None else None

    def close(self) -> None:
        """Close the file. Safe to call twice."""
        self._engine.dispose()


def _engine(path: Path | None) -> Engine:
    if path is None:
        return create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    engine = create_engine(f"sqlite:///{path}")

    @event.listens_for(engine, "connect")
    def _pragmas(connection: sqlite3.Connection, _record: object) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000"):
            connection.execute(f"PRAGMA {pragma}")

    return engine


def _migrate(engine: Engine) -> None:
    tables = inspect(engine).get_table_names()
    current = None
    if "alembic_version" in tables:
        with engine.connect() as connection:
            current = connection.scalar(text(_VERSION))
    elif tables:
        raise StoreFormatError("the control file is not one of ours", hint="name another data folder")
    if current == HEAD:
        return
    if current is not None and current not in KNOWN:
        raise StoreFormatError(
            f"the control store has revision {current}, this release knows up to {HEAD}",
            hint="upgrade watchkeeper, or name another data folder",
        )
    # Alembic takes a third of a second to import: only when there is something to do.
    from watchkeeper.store.control.upgrade import upgrade

    upgrade(engine)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        if "disk is full" in str(error):
            raise StoreFullError("no space left for the control store", hint="free some space") from error
        raise StoreError(f"the control store failed: {str(error).splitlines()[0]}") from error


def _hash(secret: str) -> str:
    # Secrets are 128 random bits or more: a slow hash would protect nothing and cost every request.
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
