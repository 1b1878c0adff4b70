"""Projects, keys, people, sessions, prompts, datasets and what is known of media: small, durable, migrated by Alembic."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import select

from watchkeeper.kit.clock import Clock, SystemClock
from watchkeeper.kit.errors import RequestError
from watchkeeper.store.control.carry import end_all_sessions, hold_shut
from watchkeeper.store.control.database import Database
from watchkeeper.store.control.datasets import Datasets
from watchkeeper.store.control.keys import SCOPES, Keys, Scope
from watchkeeper.store.control.media import Media
from watchkeeper.store.control.people import People
from watchkeeper.store.control.prompts import Prompts
from watchkeeper.store.control.sessions import Sessions
from watchkeeper.store.control.tables import Project

__all__ = ["SCOPES", "ControlStore", "Scope"]

_PROJECT_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


class ControlStore:
    """Who may do what, and what people wrote: prompts and datasets. Every method may be called from any thread.

    Raises:
        StoreFormatError: the file was written by a newer release.
        StoreError: it cannot be opened.
    """

    def __init__(self, where: Path | None, clock: Clock | None = None) -> None:
        self._database = Database(where, clock or SystemClock())
        self.keys = Keys(self._database)
        self.people = People(self._database)
        self.sessions = Sessions(self._database)
        self.prompts = Prompts(self._database)
        self.datasets = Datasets(self._database)
        self.media = Media(self._database)

    def ensure_project(self, project: str, name: str | None = None) -> bool:
        """Make the project where it is missing; say whether it was.

        Raises:
            RequestError: the id is not 1 to 63 of a-z, 0-9, - and _, beginning with a letter or digit.
        """
        if not _PROJECT_ID.fullmatch(project):
            raise RequestError(f"{project!r} is not a project id", hint="use a-z, 0-9, - and _, at most 63")
        if project in self.projects():
            return False
        with self._database.write() as session:
            session.merge(Project(id=project, name=name or project, created_at=self._database.now()))
        return True

    def projects(self) -> tuple[str, ...]:
        """Return the ids of all projects, sorted."""
        with self._database.read() as session:
            return tuple(session.scalars(select(Project.id).order_by(Project.id)))

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call this after every change made through this object, from the thread that made it."""
        self._database.on_change(listener)

    def backup(self, target: Path) -> None:
        """Write all of it to a new file, as it is at one moment; whoever writes meanwhile goes on.

        Raises:
            StoreFullError: there is no room for it.
            StoreError: it cannot be read or written.
        """
        self._database.backup(target)

    def hold_shut(self, now: ControlStore | None) -> int:
        """End all sessions; and where both stores know a key or a person, give them the state they have in `now`.

        For a store that was restored: who was shut out since stays out. Returns how many had another state.
        """
        end_all_sessions(self._database)
        return 0 if now is None else hold_shut(self._database, now._database)  # noqa: SLF001 - of its own kind

    def close(self) -> None:
        """Close the file. Safe to call twice."""
        self._database.close()
