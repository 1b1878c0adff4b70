"""The engine: opening the file, its settings, and the one seam where DuckDB's errors become ours."""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

import duckdb

from watchkeeper.kit.errors import (
    QueryRefusedError,
    QueryTimeoutError,
    StoreError,
    StoreFormatError,
    StoreFullError,
    StoreLockedError,
)
from watchkeeper.store.duckdb import statements
from watchkeeper.store.duckdb.swap import recover

__all__ = ["FORMAT_VERSION", "connect", "is_poisoned", "refused", "translated"]

FORMAT_VERSION = 5
_FULL = ("no space left", "disk quota", "file too large", "max_temp_directory_size")


def connect(path: Path, *, memory_mib: int, patience: float = 0.0) -> duckdb.DuckDBPyConnection:
    """Open the file, bring its format up to date and lock the engine's settings.

    Raises:
        StoreLockedError: another process has the file.
        StoreFormatError: it is of a newer release, or not one of ours.
    """
    with translated():
        recover(path)
        connection = duckdb.connect(
            ":memory:",
            config={
                "memory_limit": f"{memory_mib}MiB",
                "temp_directory": f"{path}.tmp",
                # Checkpoints stall commits for hundreds of ms: the writer makes them when it is idle.
                "checkpoint_threshold": "1TB",
                "python_enable_replacements": False,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "allow_community_extensions": False,
            },
        )
    try:
        with translated():
            _attach(connection, path, patience)
            connection.execute(statements.USE)
            _migrate(connection)
            for statement in statements.LOCK_DOWN:
                connection.execute(statement)
    except BaseException:
        connection.close()
        raise
    return connection


def _attach(connection: duckdb.DuckDBPyConnection, path: Path, patience: float) -> None:
    """Attach the file; for up to `patience` seconds, wait for readers of its last connection to let go of it."""
    deadline = time.monotonic() + patience
    while True:
        try:
            connection.execute(statements.attach(str(path)))
        except duckdb.Error as error:
            if "already attached" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def _migrate(connection: duckdb.DuckDBPyConnection) -> None:
    tables = {name for (name,) in connection.execute(statements.TABLES).fetchall()}
    if tables and "format" not in tables:
        raise StoreFormatError("the file is not a Watchkeeper store", hint="name another data folder")
    version = 0
    if tables:
        row = connection.execute(statements.FORMAT).fetchone()
        version = int(row[0]) if row is not None and row[0] is not None else 0
    if version > FORMAT_VERSION:
        raise StoreFormatError(
            f"the store has format {version}, this release reads up to {FORMAT_VERSION}",
            hint="upgrade watchkeeper, or name another data folder",
        )
    if version == FORMAT_VERSION:
        return
    connection.execute("BEGIN")
    connection.execute(statements.CREATE_FORMAT)
    for step in sorted((resources.files(__package__) / "sql").iterdir(), key=lambda one: one.name):
        number = int(step.name.split("_", 1)[0])
        if number > version:
            connection.execute(step.read_text(encoding="utf-8"))
            connection.execute(statements.SET_FORMAT, {"version": number})
    connection.execute("COMMIT")


@contextmanager
def translated() -> Iterator[None]:
    """Turn what DuckDB (or the file system under it) raises into our errors."""
    try:
        yield
    except duckdb.InterruptException as error:
        raise QueryTimeoutError("the query was stopped", hint="ask for less, or a shorter time") from error
    except (duckdb.IOException, duckdb.FatalException) as error:
        raise _translate_io(error) from error
    except duckdb.OutOfMemoryException as error:
        raise StoreError(
            f"out of memory: {_first(error)}", hint="ask for less, or raise WATCHKEEPER_MEMORY_MIB"
        ) from error
    except duckdb.Error as error:
        # A commit that finds no space fails as a transaction, not as I/O.
        raise _translate_io(error) from error
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
            raise StoreFullError("no space left for the store", hint="free some space") from error
        raise StoreError(str(error)) from error


def refused(error: duckdb.Error) -> QueryRefusedError | None:
    """Return the refusal when the fault is in the user's SQL, not in the store."""
    if isinstance(error, duckdb.OutOfMemoryException):
        return QueryRefusedError("the query needs more memory than there is", hint="ask for less, or aggregate earlier")
    kinds = (
        duckdb.BinderException, duckdb.CatalogException, duckdb.ConversionException, duckdb.ParserException,
        duckdb.InvalidInputException, duckdb.OutOfRangeException, duckdb.SyntaxException, duckdb.TypeMismatchException,
        duckdb.NotImplementedException,
    )  # fmt: skip
    return QueryRefusedError(_first(error)) if isinstance(error, kinds) else None


def is_poisoned(error: BaseException) -> bool:
    """Say whether the engine refuses all further work after this error."""
    return isinstance(error, duckdb.FatalException) or "has been invalidated" in str(error)


def _translate_io(error: duckdb.Error) -> StoreError:
    text = _first(error)
    low = str(error).lower()
    if "lock" in low and ("could not set" in low or "conflicting" in low):
        return StoreLockedError("another process has the store open", hint="stop it, or name another data folder")
    if any(mark in low for mark in _FULL):
        return StoreFullError("no space left for the store", hint="free some space")
    if "not a valid duckdb database" in low or "newer version" in low or "storage version" in low:
        return StoreFormatError(f"the store cannot be read: {text}", hint="name another data folder")
    return StoreError(text)


def _first(error: BaseException) -> str:
    text = str(error).strip()
    return text.splitlines()[0][:500] if text else type(error).__name__
