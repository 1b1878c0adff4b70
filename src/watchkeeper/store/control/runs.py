"""Runs over datasets in the control database; the law is in `store.datasets`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager

from sqlalchemy import Select, delete, func, select
from sqlalchemy.orm import Session

from watchkeeper.kit.errors import NotFoundError
from watchkeeper.kit.ids import new_id
from watchkeeper.store.control.database import Database, nanoseconds, stamp
from watchkeeper.store.control.limits import NAME_MOST, checked_name, dumped, loaded, short
from watchkeeper.store.control.tables import DatasetItemRow, DatasetRow, DatasetRunItemRow, DatasetRunRow
from watchkeeper.store.datasets import NewRunItem, Run, RunItem, run_id

__all__ = ["Runs"]

_DESCRIPTION_MOST = 10_000


class Runs:
    """The runs of all projects.

    Args:
        database: the control database.
        turn: held by whoever writes datasets, items or runs.
    """

    def __init__(self, database: Database, turn: AbstractContextManager[object]) -> None:
        self._database = database
        self._turn = turn

    def add_run_item(self, project: str, given: NewRunItem) -> RunItem:
        """Note a run item; see `DatasetStore.add_run_item`."""
        checked_name("run", given.run)
        description = short("the description", given.description, _DESCRIPTION_MOST)
        about = dumped("the metadata", given.metadata)
        trace, span = short("a trace id", given.trace_id, NAME_MOST) or "", short("a span id", given.span_id, NAME_MOST)
        now = self._database.now()
        with self._turn, self._database.write(quietly=True) as session:
            item = session.get(DatasetItemRow, (project, given.item))
            if item is None:
                raise NotFoundError(f"there is no dataset item {given.item!r}")
            name = run_id(project, item.dataset, given.run)
            run = session.get(DatasetRunRow, (project, name))
            if run is None:
                run = DatasetRunRow(
                    project=project, id=name, dataset=item.dataset, name=given.run, description=None, about="null",
                    created_at=now if given.at is None else stamp(given.at), updated_at=now,
                )  # fmt: skip
                session.add(run)
                session.flush()
            run.description = description or run.description
            run.about = run.about if about == "null" else about
            query = select(DatasetRunItemRow).where(
                DatasetRunItemRow.project == project, DatasetRunItemRow.run == name,
                DatasetRunItemRow.item == given.item, DatasetRunItemRow.trace_id == trace,
            )  # fmt: skip
            row = session.scalar(query)
            if row is None:
                row = DatasetRunItemRow(
                    id=new_id(), project=project, run=name, item=given.item, trace_id=trace, span_id=span,
                    created_at=now if given.at is None else stamp(given.at),
                )  # fmt: skip
                session.add(row)
                run.updated_at = now
            row.span_id = span or row.span_id
            session.flush()
            return _run_item(row, run.name)

    def runs(self, project: str, dataset: str, *, offset: int = 0, limit: int = 50) -> tuple[list[Run], int]:
        """Return a dataset's runs, the newest first."""
        with self._database.read() as session:
            owner = session.scalar(_named(project, dataset))
            if owner is None:
                raise NotFoundError(f"there is no dataset {dataset!r}")
            count = session.scalar(select(func.count()).where(DatasetRunRow.dataset == owner.id)) or 0
            query = select(DatasetRunRow).where(DatasetRunRow.dataset == owner.id)
            newest = query.order_by(DatasetRunRow.created_at.desc(), DatasetRunRow.id).offset(offset).limit(limit)
            return [_run(session, row, dataset) for row in session.scalars(newest).all()], count

    def run(self, project: str, dataset: str, name: str) -> Run | None:
        """Return a run of a dataset."""
        with self._database.read() as session:
            row = _one(session, project, dataset, name)
            return None if row is None else _run(session, row, dataset)

    def run_items(self, project: str, run: str, *, offset: int = 0, limit: int = 50) -> tuple[list[RunItem], int]:
        """Return a run's items, the newest first."""
        of_run = (DatasetRunItemRow.project == project, DatasetRunItemRow.run == run)
        with self._database.read() as session:
            row = session.get(DatasetRunRow, (project, run))
            if row is None:
                return [], 0
            count = session.scalar(select(func.count()).select_from(DatasetRunItemRow).where(*of_run)) or 0
            query = select(DatasetRunItemRow).where(*of_run)
            newest = query.order_by(DatasetRunItemRow.created_at.desc(), DatasetRunItemRow.id)
            return [_run_item(one, row.name) for one in session.scalars(newest.offset(offset).limit(limit))], count

    def delete_run(self, project: str, dataset: str, name: str) -> None:
        """Delete a run and its run items."""
        with self._turn, self._database.write(quietly=True) as session:
            row = _one(session, project, dataset, name)
            if row is None:
                raise NotFoundError(f"the dataset {dataset!r} has no run {name!r}")
            session.execute(
                delete(DatasetRunItemRow).where(DatasetRunItemRow.project == project, DatasetRunItemRow.run == row.id)
            )
            session.delete(row)

    def _run_traces(self, session: Session, project: str) -> set[str]:
        query = select(DatasetRunItemRow.trace_id).where(DatasetRunItemRow.project == project).distinct()
        return set(session.scalars(query))

    def _forget_runs(self, session: Session, project: str, traces: Sequence[str]) -> None:
        session.execute(
            delete(DatasetRunItemRow).where(
                DatasetRunItemRow.project == project, DatasetRunItemRow.trace_id.in_(traces)
            )
        )


def _named(project: str, name: str) -> Select[DatasetRow]:
    return select(DatasetRow).where(DatasetRow.project == project, DatasetRow.name == name)


def _one(session: Session, project: str, dataset: str, name: str) -> DatasetRunRow | None:
    owner = session.scalar(_named(project, dataset))
    return None if owner is None else session.get(DatasetRunRow, (project, run_id(project, owner.id, name)))


def _run(session: Session, row: DatasetRunRow, dataset: str) -> Run:
    of_run = (DatasetRunItemRow.project == row.project, DatasetRunItemRow.run == row.id)
    return Run(
        id=row.id, name=row.name, dataset=dataset, dataset_id=row.dataset, description=row.description,
        metadata=loaded(row.about),
        items=session.scalar(select(func.count()).select_from(DatasetRunItemRow).where(*of_run)) or 0,
        created_at=nanoseconds(row.created_at), updated_at=nanoseconds(row.updated_at),
    )  # fmt: skip


def _run_item(row: DatasetRunItemRow, run: str) -> RunItem:
    return RunItem(
        id=row.id, run=run, run_id=row.run, item=row.item, trace_id=row.trace_id, span_id=row.span_id,
        created_at=nanoseconds(row.created_at),
    )  # fmt: skip
