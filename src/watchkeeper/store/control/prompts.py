"""Prompts in the control database; the law is in `store.prompts`."""

from __future__ import annotations

import threading

from sqlalchemy import ColumnElement, delete, exists, func, select
from sqlalchemy.orm import Session

from watchkeeper.kit.errors import NotFoundError, RequestError
from watchkeeper.kit.ids import new_id
from watchkeeper.store.control.database import Database, nanoseconds
from watchkeeper.store.control.limits import checked_label, checked_name, dumped, loaded, short
from watchkeeper.store.control.tables import PromptLabelRow, PromptRow, PromptVersionRow
from watchkeeper.store.prompts import LATEST, PRODUCTION, NewPrompt, PromptEntry, PromptType, PromptVersion

__all__ = ["PROMPTS_MOST", "VERSIONS_MOST", "Prompts"]

PROMPTS_MOST = 10_000
"""Prompts of one project."""

VERSIONS_MOST = 10_000
"""Versions of one prompt."""

_TAGS_MOST = 50
_SHORT = 200
_MESSAGE_MOST = 1_000


class Prompts:
    """The prompts of all projects."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # One writer at a time, so that the next number is still the next when it is written.
        self._turn = threading.Lock()

    def add(self, project: str, given: NewPrompt) -> PromptVersion:
        """Add a version; see `PromptStore.add`."""
        checked_name("prompt", given.name)
        _check_content(given)
        labels = _labels(given.labels)
        tags = None if given.tags is None else dumped("the tags", _tags(given.tags))
        content, config = dumped("the prompt", given.content), dumped("the config", given.config)
        message = short("the commit message", given.message, _MESSAGE_MOST)
        now = self._database.now()
        with self._turn, self._database.write(quietly=True) as session:
            prompt = _prompt(session, project, given.name)
            if prompt is None:
                count = session.scalar(select(func.count()).where(PromptRow.project == project)) or 0
                if count >= PROMPTS_MOST:
                    raise RequestError(f"a project keeps at most {PROMPTS_MOST:,} prompts", hint="delete some")
                prompt = PromptRow(
                    id=new_id(), project=project, name=given.name, tags=tags or "[]", newest=0, created_at=now,
                    updated_at=now,
                )  # fmt: skip
                session.add(prompt)
            else:
                _check_room(session, prompt, given.type)
            prompt.newest += 1
            prompt.updated_at = now
            prompt.tags = tags or prompt.tags
            session.flush()
            session.add(
                PromptVersionRow(
                    prompt=prompt.id,
                    version=prompt.newest,
                    type=given.type,
                    content=content,
                    config=config,
                    message=message,
                    created_by=given.created_by,
                    created_at=now,
                )
            )
            session.flush()
            _give(session, prompt.id, prompt.newest, labels)
            return _version(session, prompt, prompt.newest)

    def find(
        self, project: str, name: str, *, version: int | None = None, label: str | None = None
    ) -> PromptVersion | None:
        """Return one version; see `PromptStore.find`."""
        with self._database.read() as session:
            prompt = _prompt(session, project, name)
            number = None if prompt is None else _number(session, prompt, version, label or PRODUCTION)
            return None if prompt is None or number is None else _version(session, prompt, number)

    def entries(
        self, project: str, *, name: str | None = None, label: str | None = None, tag: str | None = None,
        offset: int = 0, limit: int = 50,
    ) -> tuple[list[PromptEntry], int]:  # fmt: skip
        """Return a page of prompts; see `PromptStore.entries`."""
        where: list[ColumnElement[bool]] = [PromptRow.project == project]
        if name is not None:
            where.append(PromptRow.name == name)
        if label is not None and label != LATEST:
            where.append(exists().where(PromptLabelRow.prompt == PromptRow.id, PromptLabelRow.label == label))
        if tag is not None:
            each = func.json_each(PromptRow.tags).table_valued("value")
            where.append(exists(select(1).select_from(each).where(each.c.value == tag)))
        with self._database.read() as session:
            count = session.scalar(select(func.count()).select_from(PromptRow).where(*where)) or 0
            rows = session.scalars(select(PromptRow).where(*where).order_by(PromptRow.name).offset(offset).limit(limit))
            return [_entry(session, row) for row in rows.all()], count

    def set_labels(self, project: str, name: str, version: int, labels: tuple[str, ...]) -> PromptVersion:
        """Give a version labels; see `PromptStore.set_labels`."""
        wanted = _labels(labels)
        if LATEST in labels:
            raise RequestError("the label 'latest' is always on the newest version and cannot be given")
        with self._turn, self._database.write(quietly=True) as session:
            prompt = _prompt(session, project, name)
            if prompt is None or _number(session, prompt, version, "") is None:
                raise NotFoundError(f"there is no version {version} of the prompt {name!r}")
            _give(session, prompt.id, version, wanted)
            prompt.updated_at = self._database.now()
            session.flush()
            return _version(session, prompt, version)

    def delete(self, project: str, name: str, *, version: int | None = None, label: str | None = None) -> int:
        """Delete versions; see `PromptStore.delete`."""
        with self._turn, self._database.write(quietly=True) as session:
            prompt = _prompt(session, project, name)
            if prompt is None:
                raise NotFoundError(f"there is no prompt {name!r}")
            numbers = _numbers(session, prompt.id)
            if version is not None or label is not None:
                number = _number(session, prompt, version, label or "")
                if number is None:
                    raise NotFoundError(f"the prompt {name!r} has no such version")
                doomed = [number]
            else:
                doomed = numbers
            for table in (PromptLabelRow, PromptVersionRow):
                session.execute(delete(table).where(table.prompt == prompt.id, table.version.in_(doomed)))
            if len(doomed) == len(numbers):
                session.delete(prompt)
            return len(doomed)


def _check_content(given: NewPrompt) -> None:
    if given.type == "text":
        if not isinstance(given.content, str):
            raise RequestError("a text prompt is a text", hint='for a list of messages, the type is "chat"')
        return
    if not isinstance(given.content, list) or not all(isinstance(one, dict) for one in given.content):
        raise RequestError("a chat prompt is a list of messages and placeholders")
    for one in given.content:
        if one.get("type") == "placeholder":
            if not isinstance(one.get("name"), str) or not one["name"]:
                raise RequestError("a placeholder in a chat prompt has a name")
        elif not isinstance(one.get("role"), str) or not isinstance(one.get("content"), str):
            raise RequestError("a message in a chat prompt has a role and a content, both texts")


def _check_room(session: Session, prompt: PromptRow, wanted: PromptType) -> None:
    numbers = _numbers(session, prompt.id)
    if len(numbers) >= VERSIONS_MOST:
        raise RequestError(f"a prompt keeps at most {VERSIONS_MOST:,} versions", hint="delete some")
    row = session.get(PromptVersionRow, (prompt.id, numbers[-1])) if numbers else None
    if row is not None and row.type != wanted:
        raise RequestError(
            f"the prompt {prompt.name!r} is of type {row.type}, not {wanted}", hint="give the other one another name"
        )


def _labels(labels: tuple[str, ...]) -> list[str]:
    return [checked_label(label) for label in dict.fromkeys(labels) if label != LATEST]


def _tags(tags: tuple[str, ...]) -> list[str]:
    if len(tags) > _TAGS_MOST:
        raise RequestError(f"a prompt has at most {_TAGS_MOST} tags")
    return sorted({short("a tag", tag, _SHORT) or "" for tag in tags} - {""})


def _prompt(session: Session, project: str, name: str) -> PromptRow | None:
    return session.scalar(select(PromptRow).where(PromptRow.project == project, PromptRow.name == name))


def _numbers(session: Session, prompt: str) -> list[int]:
    query = select(PromptVersionRow.version).where(PromptVersionRow.prompt == prompt)
    return list(session.scalars(query.order_by(PromptVersionRow.version)))


def _number(session: Session, prompt: PromptRow, version: int | None, label: str) -> int | None:
    if version is not None:
        found = session.get(PromptVersionRow, (prompt.id, version))
        return None if found is None else version
    if label == LATEST:
        return _newest(session, prompt.id)
    row = session.get(PromptLabelRow, (prompt.id, label))
    return None if row is None else row.version


def _newest(session: Session, prompt: str) -> int | None:
    return session.scalar(select(func.max(PromptVersionRow.version)).where(PromptVersionRow.prompt == prompt))


def _give(session: Session, prompt: str, version: int, labels: list[str]) -> None:
    for label in labels:
        session.merge(PromptLabelRow(prompt=prompt, label=label, version=version))


def _version(session: Session, prompt: PromptRow, number: int) -> PromptVersion:
    row = session.get_one(PromptVersionRow, (prompt.id, number))
    query = select(PromptLabelRow.label).where(PromptLabelRow.prompt == prompt.id, PromptLabelRow.version == number)
    labels = set(session.scalars(query)) | ({LATEST} if number == _newest(session, prompt.id) else set())
    return PromptVersion(
        project=prompt.project, name=prompt.name, version=number, type="chat" if row.type == "chat" else "text",
        content=loaded(row.content), config=loaded(row.config), labels=tuple(sorted(labels)),
        tags=tuple(loaded(prompt.tags)), message=row.message, created_by=row.created_by,
        created_at=nanoseconds(row.created_at), updated_at=nanoseconds(prompt.updated_at),
    )  # fmt: skip


def _entry(session: Session, prompt: PromptRow) -> PromptEntry:
    numbers = _numbers(session, prompt.id)
    newest = session.get_one(PromptVersionRow, (prompt.id, numbers[-1]))
    query = select(PromptLabelRow.label, PromptLabelRow.version).where(PromptLabelRow.prompt == prompt.id)
    labels = {label: version for label, version in session.execute(query)} | {LATEST: numbers[-1]}  # noqa: C416
    return PromptEntry(
        name=prompt.name, type="chat" if newest.type == "chat" else "text", versions=tuple(numbers),
        labels=tuple(sorted(labels.items())), tags=tuple(loaded(prompt.tags)), config=loaded(newest.config),
        updated_at=nanoseconds(prompt.updated_at),
    )  # fmt: skip
