"""Looking into a store's file without changing it."""

from __future__ import annotations

from pathlib import Path

import duckdb

from watchkeeper.kit.errors import StoreFormatError
from watchkeeper.store.api import KeptFile
from watchkeeper.store.duckdb import statements
from watchkeeper.store.duckdb.engine import FORMAT_VERSION, translated
from watchkeeper.store.duckdb.journal import journal_path, owner_of
from watchkeeper.store.duckdb.kept import Kept

__all__ = ["foreign_journal", "kept_files", "stored_format"]


def stored_format(path: Path) -> tuple[int, int]:
    """Return the format of a file and the newest this release writes. Read-only; the log beside it is read too.

    Raises:
        StoreFormatError: a newer release wrote it, or it is not one of ours.
        StoreLockedError: another process has the file.
        StoreError: it cannot be opened.
    """
    with translated():
        connection = duckdb.connect(str(path), read_only=True, config={"autoload_known_extensions": False})
        try:
            tables = {name for (name,) in connection.execute(statements.TABLES).fetchall()}
            if tables and "format" not in tables:
                raise StoreFormatError("the file is not a Watchkeeper store")
            row = connection.execute(statements.FORMAT).fetchone() if tables else None
        finally:
            connection.close()
    found = int(row[0]) if row is not None and row[0] is not None else 0
    if found > FORMAT_VERSION:
        raise StoreFormatError(f"the store has format {found}, this release reads up to {FORMAT_VERSION}")
    return found, FORMAT_VERSION


def kept_files(path: Path) -> tuple[KeptFile, ...]:
    """Return what was set aside beside a store's file, whether a server has it open or not.

    Raises:
        StoreError: the folder cannot be read.
    """
    return Kept(journal_path(path)).files() if journal_path(path).is_dir() else ()


def foreign_journal(path: Path) -> str | None:
    """Return the name of the store whose journal is beside a file that is another's, None where it is its own. Read-only.

    Raises:
        StoreError: one of them cannot be read.
    """
    with translated():
        connection = duckdb.connect(str(path), read_only=True, config={"autoload_known_extensions": False})
        try:
            tables = {name for (name,) in connection.execute(statements.TABLES).fetchall()}
            own = connection.execute(statements.IDENTITY).fetchall()[0][0] if "identity" in tables else None
        finally:
            connection.close()
        owners = {owner_of(one) for one in sorted(journal_path(path).glob("*.seg"))} - {"", own}
    return min(owners) if own is not None and owners else None
