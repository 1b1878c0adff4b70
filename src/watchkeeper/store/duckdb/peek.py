"""Looking into a store's file without changing it."""

from __future__ import annotations

from pathlib import Path

import duckdb

from watchkeeper.kit.errors import StoreFormatError
from watchkeeper.store.duckdb import statements
from watchkeeper.store.duckdb.engine import FORMAT_VERSION, translated

__all__ = ["stored_format"]


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
