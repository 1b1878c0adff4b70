"""Datasets and their items in the control database; the law is in `store.datasets`."""

from __future__ import annotations

import threading
from collections.abc import Collection
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Select, func, or_, select, update
from sqlalchemy.orm import Session

from watchkeeper.kit.errors import NotFoundError, RequestError
from watchkeeper.kit.ids import new_id
from watchkeeper.store.control.database import Database, nanoseconds, stamp
from watchkeeper.store.control.limits import NAME_MOST, checked_name, dumped, loaded, short
from watchkeeper.store.control.runs import Runs
from watchkeeper.store.control.tables import DatasetItemRow, DatasetItemVersion, DatasetRow, DatasetRunRow
from watchkeeper.store.datasets import Dataset, Item, NewDataset, NewItem

__all__ = ["DATASETS_MOST", "ITEMS_MOST", "Datasets"]

DATASETS_MOST = 10_000
"""Datasets of one project."""

ITEMS_MOST = 100_000
"""Items of one dataset, deleted ones too: their history is kept."""

_DESCRIPTION_MOST = 10_000
_MANY = 500
_Version = DatasetItemVersion


class Datasets(Runs):
    """The datasets of all projects, with their runs."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, threading.Lock())

    def ensure(self, project: str, given: NewDataset) -> Dataset:
        """Make a dataset or change it; see `DatasetStore.ensure`."""
        checked_name("dataset", given.name)
        description = short("the description", given.description, _DESCRIPTION_MOST)
        about = dumped("the metadata", given.metadata)
        now = self._database.now()
        with self._turn, self._database.write(quietly=True) as session:
            row = session.scalar(_named(project, given.name))
            if row is None:
                count = session.scalar(select(func.count()).where(DatasetRow.project == project)) or 0
                if count >= DATASETS_MOST:
                    raise RequestError(f"a project keeps at most {DATASETS_MOST:,} datasets")
                row = DatasetRow(id=new_id(), project=project, name=given.name, created_at=now)
                session.add(row)
            row.description, row.about, row.updated_at = description, about, now
            session.flush()
            return _dataset(session, row)

    def find(self, project: str, name: str) -> Dataset | None:
        """Return the dataset of this name."""
        with self._database.read() as session:
            row = session.scalar(_named(project, name))
            return None if row is None else _dataset(session, row)

    def find_by_id(self, project: str, dataset_id: str) -> Dataset | None:
        """Return the dataset of this id."""
        with self._database.read() as session:
            row = session.get(DatasetRow, dataset_id)
            return None if row is None or row.project != project else _dataset(session, row)

    def entries(self, project: str, *, offset: int = 0, limit: int = 50) -> tuple[list[Dataset], int]:
        """Return datasets by name."""
        with self._database.read() as session:
            count = session.scalar(select(func.count()).where(DatasetRow.project == project)) or 0
            query = select(DatasetRow).where(DatasetRow.project == project).order_by(DatasetRow.name)
            return [_dataset(session, row) for row in session.scalars(query.offset(offset).limit(limit))], count

    def put_item(self, project: str, dataset: str, given: NewItem) -> Item:
        """Put a test case; see `DatasetStore.put_item`."""
        now = self._database.now()
        with self._turn, self._database.write(quietly=True) as session:
            owner = session.scalar(_named(project, dataset))
            if owner is None:
                raise NotFoundError(f"there is no dataset {dataset!r}")
            row = self._item_row(session, owner, given.id, now)
            had = session.scalar(_now(project, row.id))
            new = _said(row, had, given, now)
            if had is not None and _says(had) == _says(new):
                return _item(had, row, owner.name)
            if had is not None:
                had.until = now
            session.add(new)
            session.flush()
            return _item(new, row, owner.name)

    def item(self, project: str, item_id: str) -> Item | None:
        """Return a test case as it is now."""
        with self._database.read() as session:
            found = session.scalar(_now(project, item_id))
            return None if found is None else _whole(session, found)

    def items(
        self, project: str, *, dataset: str | None = None, source_trace: str | None = None,
        source_span: str | None = None, at: int | None = None, offset: int = 0, limit: int = 50,
    ) -> tuple[list[Item], int]:  # fmt: skip
        """Return a page of test cases; see `DatasetStore.items`."""
        where: list[ColumnElement[bool]] = [_Version.project == project, *_valid(at)]
        if source_trace is not None:
            where.append(_Version.source_trace == source_trace)
        if source_span is not None:
            where.append(_Version.source_span == source_span)
        with self._database.read() as session:
            if dataset is not None:
                owner = session.scalar(_named(project, dataset))
                where.append(_Version.dataset == ("" if owner is None else owner.id))
            count = session.scalar(select(func.count()).select_from(_Version).where(*where)) or 0
            query = (
                select(_Version)
                .join(
                    DatasetItemRow, (DatasetItemRow.project == _Version.project) & (DatasetItemRow.id == _Version.item)
                )
                .where(*where)
                .order_by(DatasetItemRow.created_at.desc(), DatasetItemRow.id)
            )
            return [_whole(session, one) for one in session.scalars(query.offset(offset).limit(limit)).all()], count

    def delete_item(self, project: str, item_id: str) -> None:
        """Take a test case out of its dataset."""
        with self._turn, self._database.write(quietly=True) as session:
            found = session.scalar(_now(project, item_id))
            if found is None:
                raise NotFoundError(f"there is no dataset item {item_id!r}")
            found.until = self._database.now()

    def known_traces(self, project: str) -> set[str]:
        """Return the traces that items were taken from, or that runs made."""
        with self._database.read() as session:
            query = select(_Version.source_trace).where(
                _Version.project == project, _Version.source_trace.is_not(None), _Version.erased_at.is_(None)
            )
            return {str(trace) for trace in session.scalars(query.distinct())} | self._run_traces(session, project)

    def forget_traces(self, project: str, traces: Collection[str]) -> int:
        """Take away what came from these traces; see `DatasetStore.forget_traces`."""
        gone: set[str] = set()
        wanted, now = sorted(traces), self._database.now()
        with self._turn, self._database.write(quietly=True) as session:
            for start in range(0, len(wanted), _MANY):
                some = wanted[start : start + _MANY]
                query = select(_Version.item).where(
                    _Version.project == project, _Version.source_trace.in_(some), _Version.erased_at.is_(None)
                )
                found = set(session.scalars(query))
                # The whole history: an item that was edited still says what the trace said.
                for item in found:
                    session.execute(
                        update(_Version)
                        .where(_Version.project == project, _Version.item == item)
                        .values(input="null", expected="null", about="null", archived=True, erased_at=now)
                    )
                gone |= found
                self._forget_runs(session, project, some)
        return len(gone)

    def _item_row(self, session: Session, owner: DatasetRow, item_id: str | None, now: datetime) -> DatasetItemRow:
        row = None if item_id is None else session.get(DatasetItemRow, (owner.project, item_id))
        if row is None:
            if item_id is not None and not (0 < len(item_id) <= NAME_MOST and item_id.isprintable()):
                raise RequestError(f"an item's id has 1 to {NAME_MOST} printable characters")
            count = session.scalar(select(func.count()).where(DatasetItemRow.dataset == owner.id)) or 0
            if count >= ITEMS_MOST:
                raise RequestError(f"a dataset keeps at most {ITEMS_MOST:,} items", hint="begin another dataset")
            row = DatasetItemRow(project=owner.project, id=item_id or new_id(), dataset=owner.id, created_at=now)
            session.add(row)
            session.flush()
        elif row.dataset != owner.id:
            raise RequestError(f"the item {item_id!r} belongs to another dataset", hint="give this one another id")
        return row


def _said(row: DatasetItemRow, had: DatasetItemVersion | None, given: NewItem, now: datetime) -> DatasetItemVersion:
    """Return what an item says once `given` is laid over what it `had`; what was erased does not come back."""
    was = had or _Version(input="null", expected="null", about="null", archived=False)

    def json(what: str, new: Any, old: str) -> str:  # noqa: ANN401 - JSON is any shape
        return old if new is msgspec.UNSET else dumped(what, new)

    def text(new: str | msgspec.UnsetType | None, old: str | None) -> str | None:
        return old if isinstance(new, msgspec.UnsetType) else short("a source", new, NAME_MOST)

    return _Version(
        project=row.project, item=row.id, dataset=row.dataset, since=now, until=None,
        archived=was.archived if given.archived is None else given.archived,
        input=json("the input", given.input, was.input),
        expected=json("the expected output", given.expected, was.expected),
        about=json("the metadata", given.metadata, was.about),
        source_trace=text(given.source_trace, was.source_trace),
        source_span=text(given.source_span, was.source_span), erased_at=None,
    )  # fmt: skip


def _says(version: DatasetItemVersion) -> tuple[object, ...]:
    return (
        version.archived, version.input, version.expected, version.about, version.source_trace, version.source_span,
    )  # fmt: skip


def _named(project: str, name: str) -> Select[DatasetRow]:
    return select(DatasetRow).where(DatasetRow.project == project, DatasetRow.name == name)


def _now(project: str, item: str) -> Select[DatasetItemVersion]:
    return select(_Version).where(_Version.project == project, _Version.item == item, *_valid(None))


def _valid(at: int | None) -> list[ColumnElement[bool]]:
    if at is None:
        return [_Version.until.is_(None)]
    when = stamp(at)
    return [_Version.since <= when, or_(_Version.until.is_(None), _Version.until > when)]


def _dataset(session: Session, row: DatasetRow) -> Dataset:
    counts = [
        session.scalar(select(func.count()).where(_Version.dataset == row.id, *_valid(None))),
        session.scalar(select(func.count()).where(DatasetRunRow.dataset == row.id)),
    ]
    return Dataset(
        id=row.id, project=row.project, name=row.name, description=row.description, metadata=loaded(row.about),
        items=counts[0] or 0, runs=counts[1] or 0, created_at=nanoseconds(row.created_at), updated_at=nanoseconds(row.updated_at),
    )  # fmt: skip


def _whole(session: Session, version: DatasetItemVersion) -> Item:
    row = session.get_one(DatasetItemRow, (version.project, version.item))
    return _item(version, row, session.get_one(DatasetRow, version.dataset).name)


def _item(version: DatasetItemVersion, row: DatasetItemRow, dataset: str) -> Item:
    erased = version.erased_at
    return Item(
        id=row.id, dataset=dataset, dataset_id=row.dataset, input=loaded(version.input),
        expected=loaded(version.expected), metadata=loaded(version.about), source_trace=version.source_trace,
        source_span=version.source_span, archived=version.archived,
        erased_at=None if erased is None else nanoseconds(erased), created_at=nanoseconds(row.created_at),
        updated_at=nanoseconds(version.since),
    )  # fmt: skip
