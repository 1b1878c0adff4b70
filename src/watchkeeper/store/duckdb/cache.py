"""Giving back the engine's memory after a checkpoint.

Whatever a checkpoint writes stays in the engine's buffer pool until its limit is reached: at a steady
rate the process grows by all it stores (about 200 bytes a span), though the operating system holds the
same pages. The engine has no statement that empties the pool, but it evicts what a lower limit asks
for, least recently used first. So the limit goes down for a moment, and up again.
"""

from __future__ import annotations

import logging

import duckdb

from watchkeeper.store.duckdb import statements

__all__ = ["BlockCache"]

_log = logging.getLogger(__name__)
_SHARE = 16
_LEAST = 16 << 20


class BlockCache:
    """How much of the file the engine keeps in memory once it was written; `memory_mib` is all the engine may use."""

    def __init__(self, memory_mib: int) -> None:
        self._limit = memory_mib << 20
        self._keep = max(self._limit // _SHARE, _LEAST)
        self.turns = 0
        """Goes up before and after the limit is low. A read that ran out of memory between may be tried again."""

    @property
    def keep(self) -> int:
        """Return the bytes of the file that stay in memory."""
        return self._keep

    def trim(self, db: duckdb.DuckDBPyConnection) -> None:
        """Evict what goes beyond `keep`; memory that is in use stays. On the writer's thread."""
        used, cached = db.execute(statements.MEMORY).fetchall()[0]
        if cached <= self._keep:
            return
        self.turns += 1
        try:
            db.execute(statements.memory_limit(min(used - cached + self._keep, self._limit)))
        except duckdb.Error as error:  # it is in use: the next checkpoint tries again
            _log.debug("the engine's memory could not be trimmed: %s", error)
        finally:
            db.execute(statements.memory_limit(self._limit))
            self.turns += 1
