"""Media and what uses them in the control database; the law is in `store.media`."""

from __future__ import annotations

import threading
from collections.abc import Collection

from sqlalchemy import delete, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from watchkeeper.kit.errors import RequestError
from watchkeeper.store.control.database import Database, nanoseconds, stamp
from watchkeeper.store.control.tables import MediaUseRow, MediumRow
from watchkeeper.store.media import Medium, NewMedium, Use

__all__ = ["Media"]

_MANY = 500


class Media:
    """The media of all projects."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turn = threading.Lock()

    def announce(self, project: str, given: NewMedium, use: Use) -> Medium:
        """Note a use of a medium; see `MediaStore.announce`."""
        now = self._database.now()
        with self._turn, self._database.write(quietly=True) as session:
            row = session.get(MediumRow, (project, given.id))
            if row is None:
                row = MediumRow(project=project, id=given.id, created_at=now)
                row.sha256, row.content_type, row.size = given.sha256, given.content_type, given.size
                session.add(row)
                session.flush()
            elif (row.sha256, row.size) != (given.sha256, given.size):
                raise RequestError("there is another medium of this id", hint="look at its length and its SHA-256")
            elif row.uploaded_at is None:
                row.content_type, row.created_at = given.content_type, now
            session.merge(
                MediaUseRow(
                    project=project, media=given.id, trace_id=use.trace_id, span_id=use.span_id, dataset=use.dataset,
                    item=use.item, field=use.field, created_at=now,
                )
            )  # fmt: skip
            return _medium(row)

    def find(self, project: str, media_id: str) -> Medium | None:
        """Return the medium of this id."""
        with self._database.read() as session:
            row = session.get(MediumRow, (project, media_id))
            return None if row is None else _medium(row)

    def arrived(self, project: str, media_id: str) -> bool:
        """Note that its bytes are there; see `MediaStore.arrived`."""
        with self._turn, self._database.write(quietly=True) as session:
            row = session.get(MediumRow, (project, media_id))
            if row is not None:
                row.uploaded_at = self._database.now()
            return row is not None

    def size(self) -> int:
        """Return the bytes of all media."""
        with self._database.read() as session:
            return int(session.scalar(select(func.sum(MediumRow.size))) or 0)

    def projects(self) -> tuple[str, ...]:
        """Return the projects that have media."""
        with self._database.read() as session:
            return tuple(session.scalars(select(MediumRow.project).distinct().order_by(MediumRow.project)))

    def traces(self, project: str, *, after: str = "", limit: int | None = None) -> list[tuple[str, int]]:
        """Return traces that use media; see `MediaStore.traces`."""
        return self._users(MediaUseRow.trace_id, project, after, limit)

    def items(self, project: str, *, after: str = "", limit: int | None = None) -> list[tuple[str, int]]:
        """Return items that use media; see `MediaStore.items`."""
        return self._users(MediaUseRow.item, project, after, limit)

    def drop(self, project: str, *, traces: Collection[str] = (), items: Collection[str] = ()) -> list[Medium]:
        """Forget every use by these; see `MediaStore.drop`."""
        gone: list[Medium] = []
        with self._turn, self._database.write(quietly=True) as session:
            for column, names in ((MediaUseRow.trace_id, sorted(traces)), (MediaUseRow.item, sorted(items))):
                for start in range(0, len(names), _MANY):
                    gone += _drop(session, project, column, names[start : start + _MANY])
        return gone

    def drop_waiting(self, before: int) -> list[Medium]:
        """Forget media whose bytes never came; see `MediaStore.drop_waiting`."""
        with self._turn, self._database.write(quietly=True) as session:
            query = select(MediumRow).where(MediumRow.uploaded_at.is_(None), MediumRow.created_at < stamp(before))
            return _forget(session, list(session.scalars(query)))

    def _users(
        self, column: InstrumentedAttribute[str], project: str, after: str, limit: int | None
    ) -> list[tuple[str, int]]:
        # What does not apply is "", which is after nothing.
        query = (
            select(column, func.max(MediaUseRow.created_at))
            .where(MediaUseRow.project == project, column > after)
            .group_by(column)
            .order_by(column)
            .limit(limit)
        )
        with self._database.read() as session:
            return [(name, nanoseconds(newest)) for name, newest in session.execute(query)]


def _drop(session: Session, project: str, column: InstrumentedAttribute[str], names: list[str]) -> list[Medium]:
    mine = (MediaUseRow.project == project, column.in_(names))
    touched = set(session.scalars(select(MediaUseRow.media).where(*mine)))
    session.execute(delete(MediaUseRow).where(*mine))
    gone: list[MediumRow] = []
    for media in sorted(touched):
        used = select(MediaUseRow.media).where(MediaUseRow.project == project, MediaUseRow.media == media).limit(1)
        if session.scalar(used) is None:
            gone.append(session.get_one(MediumRow, (project, media)))
    return _forget(session, gone)


def _forget(session: Session, rows: list[MediumRow]) -> list[Medium]:
    told = [_medium(row) for row in rows]
    for row in rows:
        session.execute(delete(MediaUseRow).where(MediaUseRow.project == row.project, MediaUseRow.media == row.id))
        session.delete(row)
    return told


def _medium(row: MediumRow) -> Medium:
    return Medium(
        id=row.id, project=row.project, sha256=row.sha256, content_type=row.content_type, size=row.size,
        created_at=nanoseconds(row.created_at),
        uploaded_at=None if row.uploaded_at is None else nanoseconds(row.uploaded_at),
    )  # fmt: skip
