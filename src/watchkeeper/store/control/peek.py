"""Looking into a control file that another process may have open: read-only, and nothing is migrated."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeAlias
from urllib.parse import quote

from watchkeeper.kit.errors import StoreError, StoreFormatError
from watchkeeper.store.control.tables import KNOWN

__all__ = ["KeyState", "check_control_format", "key_state"]

KeyState: TypeAlias = Literal["live", "revoked", "expired", "unknown"]


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
