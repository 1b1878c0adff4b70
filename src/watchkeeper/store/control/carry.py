"""Keeping a restored control store from letting in who has been shut out since its backup was taken."""

from __future__ import annotations

from sqlalchemy import Select, delete, select, update
from sqlalchemy.orm import Session

from watchkeeper.store.control.database import Database
from watchkeeper.store.control.tables import (
    ApiKey,
    DatasetItemVersion,
    DatasetRunItemRow,
    Link,
    LoginSession,
    Membership,
    Project,
    User,
)

__all__ = ["end_all_sessions", "hold_shut"]


def end_all_sessions(restored: Database) -> None:
    """Delete every session and every link that was sent: some have ended since, and nobody knows which."""
    with restored.write() as session:
        session.execute(delete(LoginSession))
        session.execute(delete(Link))


def hold_shut(restored: Database, now: Database) -> int:
    """Give keys and people that both stores know the state they have now; return how many had another.

    A key's end and revocation, a person's password, whether they are disabled, and their roles. Dataset items that were
    emptied since, because the trace they came from was erased, are emptied here too.
    """
    with now.read() as there, restored.write() as here:
        changed = sum(_key(here, one) for one in there.scalars(select(ApiKey)))
        for person in there.scalars(select(User)):
            roles = {one.project: one for one in there.scalars(_roles(person.id))}
            changed += _person(here, person, roles)
        for gone in there.scalars(select(DatasetItemVersion).where(DatasetItemVersion.erased_at.is_not(None))):
            _empty(here, gone)
    return changed


def _empty(here: Session, now: DatasetItemVersion) -> None:
    of_item = (DatasetItemVersion.project == now.project, DatasetItemVersion.item == now.item)
    empty = {"input": "null", "expected": "null", "about": "null", "archived": True, "erased_at": now.erased_at}
    here.execute(update(DatasetItemVersion).where(*of_item).values(**empty))
    if now.source_trace is not None:
        here.execute(
            delete(DatasetRunItemRow).where(
                DatasetRunItemRow.project == now.project, DatasetRunItemRow.trace_id == now.source_trace
            )
        )


def _key(here: Session, now: ApiKey) -> bool:
    row = here.scalar(select(ApiKey).where(ApiKey.public_id == now.public_id))
    if row is None or (row.revoked_at, row.expires_at) == (now.revoked_at, now.expires_at):
        return False
    row.revoked_at, row.expires_at = now.revoked_at, now.expires_at
    return True


def _person(here: Session, now: User, roles: dict[str, Membership]) -> bool:
    row = here.get(User, now.id)
    if row is None:
        return False
    changed = (row.disabled_at, row.password_hash) != (now.disabled_at, now.password_hash)
    row.disabled_at, row.password_hash = now.disabled_at, now.password_hash
    for had in here.scalars(_roles(now.id)).all():
        if had.project not in roles:
            here.delete(had)
            changed = True
    for project, role in roles.items():
        had_role = here.get(Membership, (now.id, project))
        if had_role is not None:
            changed |= had_role.role != role.role
            had_role.role = role.role
        elif here.get(Project, project) is not None:
            here.add(Membership(user_id=now.id, project=project, role=role.role, created_at=role.created_at))
            changed = True
    return changed


def _roles(user_id: str) -> Select[Membership]:
    return select(Membership).where(Membership.user_id == user_id)
