"""The engine under the control store: opened, migrated, and its errors turned into ours."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, create_engine, event, inspect, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from watchkeeper.kit.clock import Clock
from watchkeeper.kit.errors import StoreError, StoreFormatError, StoreFullError
from watchkeeper.store.control.tables import HEAD, KNOWN

__all__ = ["Database", "nanoseconds", "stamp"]

_VERSION = "SELECT version_num FROM alembic_version"
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - times in the tables are UTC without a zone


def nanoseconds(stamp: datetime) -> int:
    """Turn a stored time into nanoseconds since the epoch."""
    return (stamp - _EPOCH) // timedelta(microseconds=1) * 1_000


def stamp(nanos: int) -> datetime:
    """Turn nanoseconds since the epoch into a time as the tables hold it, rounded down to microseconds."""
    return _EPOCH + timedelta(microseconds=nanos // 1_000)


class Database:
    """One control database. Any method may be called from any thread.

    Raises:
        StoreFormatError: it was written by a newer release, or is not ours.
        StoreError: it cannot be opened.
    """

    def __init__(self, where: Path | None, clock: Clock) -> None:
        self._clock = clock
        self._engine = _sqlite(where)
        # In memory all threads share one connection, so one transaction at a time.
        self._turn: AbstractContextManager[object] = threading.RLock() if where is None else nullcontext()
        self._listeners: list[Callable[[], None]] = []
        try:
            with _translated():
                _migrate(self._engine)
        except StoreError:
            self._engine.dispose()
            raise

    def now(self) -> datetime:
        """Return the time as the tables hold it."""
        return datetime.fromtimestamp(self._clock.now_ns() / 1e9, UTC).replace(tzinfo=None)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a transaction that only reads."""
        with self._turn, _translated(), Session(self._engine) as session:
            yield session

    @contextmanager
    def write(self, *, quietly: bool = False) -> Iterator[Session]:
        """Open a transaction that is committed at the end, and say so to who listens unless `quietly`."""
        with self._turn, _translated(), Session(self._engine) as session, session.begin():
            yield session
        if not quietly:
            for listener in self._listeners:
                listener()

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call this after every change made through this object, from the thread that made it."""
        self._listeners.append(listener)

    def backup(self, target: Path) -> None:
        """Write all of it to a new file; see `ControlStore.backup`."""
        try:
            with _translated():
                source = self._engine.raw_connection()
            with closing(source), closing(sqlite3.connect(target)) as copy:
                source.driver_connection.backup(copy)  # type: ignore[union-attr]  # a pool's connection that is open
                copy.execute("PRAGMA journal_mode=DELETE")  # one file, nothing beside it
        except sqlite3.Error as error:
            if "disk is full" in str(error):
                raise StoreFullError("no space left for the control store's copy", hint="free some space") from error
            raise StoreError(f"the control store cannot be copied: {error}") from error

    def close(self) -> None:
        """Close it. Safe to call twice."""
        self._engine.dispose()


def _sqlite(path: Path | None) -> Engine:
    if path is None:
        return create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    engine = create_engine(f"sqlite:///{path}")

    @event.listens_for(engine, "connect")
    def _pragmas(connection: sqlite3.Connection, _record: object) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000"):
            connection.execute(f"PRAGMA {pragma}")

    return engine


def _migrate(engine: Engine) -> None:
    tables = inspect(engine).get_table_names()
    current = None
    if "alembic_version" in tables:
        with engine.connect() as connection:
            current = connection.scalar(text(_VERSION))
    elif tables:
        raise StoreFormatError("the control file is not one of ours", hint="name another data folder")
    if current == HEAD:
        return
    if current is not None and current not in KNOWN:
        raise StoreFormatError(
            f"the control store has revision {current}, this release knows up to {HEAD}",
            hint="upgrade watchkeeper, or name another data folder",
        )
    # Alembic takes a third of a second to import: only when there is something to do.
    from watchkeeper.store.control.upgrade import upgrade

    upgrade(engine)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        if "disk is full" in str(error):
            raise StoreFullError("no space left for the control store", hint="free some space") from error
        raise StoreError(f"the control store failed: {str(error).splitlines()[0]}") from error
