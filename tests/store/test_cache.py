"""Memory the engine gives back after a checkpoint, and the reads that run meanwhile."""

from __future__ import annotations

import random
from pathlib import Path

import duckdb
import pytest

from watchkeeper.kit.errors import StoreError
from watchkeeper.store.api import SpanFilter
from watchkeeper.store.conformance.samples import Maker, refine, stored
from watchkeeper.store.duckdb import statements
from watchkeeper.store.duckdb.cache import BlockCache
from watchkeeper.store.duckdb.store import DuckdbStore
from watchkeeper.store.factory import open_span_store

make = Maker()
MIB = 1 << 20


@pytest.fixture
def store(tmp_path: Path) -> DuckdbStore:
    opened = open_span_store(tmp_path / "data", refine=refine, memory_mib=256)
    assert isinstance(opened, DuckdbStore)
    return opened


def _noise(seed: int) -> str:
    return random.Random(seed).randbytes(1_500).hex()


def test_written_blocks_leave_memory(store: DuckdbStore) -> None:
    """After a checkpoint no more of the file than the cache's share stays in memory, and all of it can be read."""
    writer = store._writer
    writer.cache = None
    cache = BlockCache(256)
    cache._keep = 2 * MIB
    for batch in range(40):
        stored(store, *(make.span(batch, n, attributes={"x": _noise(batch * 100 + n)}) for n in range(100)))
    writer.do(lambda _: writer._checkpoint()).result()
    _, before = writer.do(lambda db: db.execute(statements.MEMORY).fetchall()[0]).result()
    assert before > 2 * cache.keep
    writer.do(cache.trim).result()
    _, after = writer.do(lambda db: db.execute(statements.MEMORY).fetchall()[0]).result()
    assert after <= cache.keep
    assert sum(1 for _ in store.scan_spans("default", SpanFilter())) == 4_000
    store.close()


def test_limit_comes_back(store: DuckdbStore) -> None:
    """Trimming leaves the engine's limit where it was."""
    writer = store._writer
    wanted = writer.do(lambda db: db.execute("SELECT current_setting('memory_limit')").fetchall()).result()
    cache = BlockCache(256)
    cache._keep = -1
    writer.do(cache.trim).result()
    assert writer.do(lambda db: db.execute("SELECT current_setting('memory_limit')").fetchall()).result() == wanted
    assert cache.turns == 2
    store.close()


def _out_of_memory() -> StoreError:
    error = StoreError("out of memory")
    error.__cause__ = duckdb.OutOfMemoryException("Out of Memory Error")
    return error


def test_read_runs_again_once_after_a_squeeze(store: DuckdbStore) -> None:
    """A read that ran out of memory while the limit was low is tried again, once; without a squeeze it is not."""
    reader, cache, runs = store._reader, store._writer.cache, []
    assert cache is not None

    def squeezed() -> None:
        runs.append("run")
        cache.turns += 1
        raise _out_of_memory()

    def hungry() -> None:
        runs.append("hungry")
        raise _out_of_memory()

    with pytest.raises(StoreError, match="out of memory"):
        reader.steady(squeezed)
    with pytest.raises(StoreError, match="out of memory"):
        reader.steady(hungry)
    assert runs == ["run", "run", "hungry"]
    store.close()
