"""Looking into a control file that another process may have open: read-only, and nothing is migrated."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias
from urllib.parse import quote

from watchkeeper.kit.errors import StoreError, StoreFormatError
from watchkeeper.store.control.tables import KNOWN

__all__ = ["KeyState", "PeopleAndKeys", "check_control_format", "key_state", "people_and_keys"]

KeyState: TypeAlias = Literal["live", "revoked", "expired", "unknown"]


class PeopleAndKeys(NamedTuple):
    """Who may sign in, and which keys end. `ending` pairs a public id with its project and when it ends (UTC)."""

    people: int
    admins: int
    first: str | None
    ending: tuple[tuple[str, str, datetime], ...]


def people_and_keys(path: Path, before: datetime) -> PeopleAndKeys:
    """Count the people who may sign in and the admins among them; `first` is the address of the first of them.

    Keys count as ending where they work now, have no successor, and end before a time (UTC).

    Raises:
        StoreError: the file cannot be read.
    """
    now, until = (one.replace(tzinfo=None).isoformat(" ") for one in (datetime.now(UTC), before.astimezone(UTC)))
    with _open(path) as file:
        tables = {row["name"] for row in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if "users" not in tables:
            return PeopleAndKeys(0, 0, None, ())
        people = file.execute("SELECT id, email FROM users WHERE disabled_at IS NULL ORDER BY created_at").fetchall()
        admins = file.execute(
            "SELECT count(DISTINCT users.id) AS n FROM users JOIN memberships ON memberships.user_id = users.id"
            " WHERE users.disabled_at IS NULL AND memberships.role = 'admin'"
        ).fetchone()
        keys = file.execute(
            "SELECT public_id, project, expires_at FROM api_keys WHERE revoked_at IS NULL AND replaced_by IS NULL"
            " AND expires_at > ? AND expires_at < ? ORDER BY expires_at",
            (now, until),
        ).fetchall()
    ending = tuple(
        (row["public_id"], row["project"], datetime.fromisoformat(row["expires_at"]).replace(tzinfo=UTC))
        for row in keys
    )
    return PeopleAndKeys(len(people), int(admins["n"]), people[0]["email"] if people else None, ending)


def key_state(path: Path, secret: str) -> KeyState | None:
    """Say what became of a secret key by a control file; None where the file cannot be read."""
    digest = hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
    try:
        with _open(path) as file:
            row = file.execute("SELECT * FROM api_keys WHERE secret_sha256 = ?", (digest,)).fetchone()
    except StoreError:
        return None
    if row is None:
        return "unknown"
    if row["revoked_at"] is not None:
        return "revoked"
    ends = row["expires_at"] if "expires_at" in row.keys() else None  # noqa: SIM118 - a Row has no `in` for names
    now = datetime.now(UTC).replace(tzinfo=None).isoformat(" ")
    return "expired" if ends is not None and str(ends) <= now else "live"


def check_control_format(path: Path) -> str:
    """Return the revision of a control file.

    Raises:
        StoreFormatError: a newer release wrote it, or it is not one of ours.
        StoreError: it cannot be opened.
    """
    with _open(path) as file:
        tables = {row["name"] for row in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if "alembic_version" not in tables:
            raise StoreFormatError("the control file is not one of ours")
        row = file.execute("SELECT version_num FROM alembic_version").fetchone()
    found = str(row["version_num"]) if row is not None else ""
    if found not in KNOWN:
        raise StoreFormatError(f"the control store has revision {found}, this release knows up to {KNOWN[-1]}")
    return found


@contextmanager
def _open(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        file = sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True, timeout=2)
        try:
            file.row_factory = sqlite3.Row
            yield file
        finally:
            file.close()
    except sqlite3.Error as error:
        raise StoreError(f"the control file cannot be read: {error}") from error
