"""How to know a span that was stored already: our key index, a primary key, an anti-join on recent time.

Each way runs in a process of its own: a table of a million rows, then batches of new rows and batches
that were stored before. Run: `python benchmarks/upsert.py [rows]`; it prints a Markdown table.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import psutil
import pyarrow as pa

from watchkeeper.store.duckdb.index import KeyIndex, hash_key

ROWS = 1_000_000
BATCH = 1_000
REPEATS = 20
CHUNK = 100_000
WINDOW = 100_000  # how far back, in rows, the anti-join looks
WAYS = ("none", "index", "primary key", "anti-join")
_COLUMNS = "trace_id VARCHAR, span_id VARCHAR, key_hash UBIGINT, start_ns BIGINT, body VARCHAR"
_SAME = "t.trace_id = i.trace_id AND t.span_id = i.span_id"


def batch(start: int, size: int) -> pa.Table:
    """Make rows with random-looking ids, in order of time."""
    numbers = range(start, start + size)
    trace = [f"{(n // 10) * 0x9E3779B97F4A7C15 % 2**128:032x}" for n in numbers]
    span = [f"{n * 0xBF58476D1CE4E5B9 % 2**64:016x}" for n in numbers]
    return pa.table(
        {
            "trace_id": trace,
            "span_id": span,
            "key_hash": pa.array([hash_key(a, b) for a, b in zip(trace, span, strict=True)], pa.uint64()),
            "start_ns": pa.array(list(numbers), pa.int64()),
            "body": [f"body of {n} " * 10 for n in numbers],
        }
    )


class Way:
    """A table, and one way to insert only what is new."""

    def __init__(self, way: str, folder: Path) -> None:
        self.db = duckdb.connect(str(folder / "t.duckdb"), config={"checkpoint_threshold": "1TB"})
        key = ", PRIMARY KEY (trace_id, span_id)" if way == "primary key" else ""
        self.db.execute(f"CREATE TABLE t ({_COLUMNS}{key})")
        self.index = KeyIndex()
        self.insert: Callable[[pa.Table], None] = {
            "none": self._plain, "index": self._by_index, "primary key": self._by_key, "anti-join": self._by_join,
        }[way]  # fmt: skip

    def _run(self, rows: pa.Table, *statements: str) -> None:
        self.db.register("incoming", rows)
        self.db.execute("BEGIN")
        for statement in statements:
            self.db.execute(statement)
        self.db.execute("COMMIT")
        self.db.unregister("incoming")

    def _plain(self, rows: pa.Table) -> None:
        self._run(rows, "INSERT INTO t SELECT * FROM incoming")

    def _by_key(self, rows: pa.Table) -> None:
        self._run(rows, "INSERT INTO t SELECT * FROM incoming ON CONFLICT DO NOTHING")

    def _by_join(self, rows: pa.Table) -> None:
        edge = f"(SELECT max(start_ns) - {WINDOW} FROM t)"
        self._run(
            rows,
            "INSERT INTO t SELECT * FROM incoming i WHERE NOT EXISTS "
            f"(SELECT 1 FROM t WHERE {_SAME} AND t.start_ns >= {edge})",
        )

    def _by_index(self, rows: pa.Table) -> None:
        hashes = rows["key_hash"].to_numpy()
        times = rows["start_ns"].to_numpy()
        found, low, high = self.index.find(hashes)
        known = rows.filter(pa.array(found))
        new = rows.filter(pa.array(~found))
        if len(known):
            edges = {"low": int(low[found].min()), "high": int(high[found].max())}
            self.db.register("known", known)
            same = self.db.execute(
                f"SELECT count(*) FROM t JOIN known i ON t.key_hash = i.key_hash AND {_SAME} "
                "WHERE t.start_ns BETWEEN $low AND $high",
                edges,
            ).fetchall()
            self.db.unregister("known")
            if same[0][0] != len(known):
                raise SystemExit("a hash collision: run again")
        if len(new):
            self.index.add(hashes[~found], times[~found])
            self._plain(new)


def measure(way: str, rows: int) -> dict[str, float]:
    """Fill a table, then time inserts of new rows and of rows stored before."""
    with tempfile.TemporaryDirectory() as folder:
        made = Way(way, Path(folder))
        for start in range(0, rows, CHUNK):
            made.insert(batch(start, min(CHUNK, rows - start)))
        made.db.execute("CHECKPOINT")
        fresh = [batch(rows + n * BATCH, BATCH) for n in range(REPEATS)]
        recent = [batch(rows - (n + 1) * BATCH, BATCH) for n in range(REPEATS)]
        old = [batch(n * BATCH, BATCH) for n in range(REPEATS)]
        result = {name: _median(made, batches) for name, batches in (("new", fresh), ("recent", recent), ("old", old))}
        count = made.db.execute("SELECT count(*) FROM t").fetchall()[0][0]
        result["extra"] = count - rows - REPEATS * BATCH
        result["rss"] = psutil.Process().memory_info().rss / 2**20
        made.db.execute("CHECKPOINT")
        made.db.close()
        started = time.perf_counter()
        with duckdb.connect(str(Path(folder) / "t.duckdb")) as again:
            if way == "index":
                keys = again.execute("SELECT key_hash, start_ns FROM t").fetchnumpy()
                KeyIndex().add(np.asarray(keys["key_hash"]), np.asarray(keys["start_ns"]))
        result["open"] = (time.perf_counter() - started) * 1_000
        return result


def _median(way: Way, batches: list[pa.Table]) -> float:
    times = []
    for rows in batches:
        started = time.perf_counter()
        way.insert(rows)
        times.append((time.perf_counter() - started) * 1_000)
    return statistics.median(times)


def main() -> None:
    """Measure every way in its own process, or one of them in this one."""
    if len(sys.argv) > 2:
        print(json.dumps(measure(sys.argv[2], int(sys.argv[1]))))
        return
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    print(f"{rows:,} rows, batches of {BATCH:,}, medians of {REPEATS}\n")
    print("| way | new rows | sent again, recent | sent again, old | duplicates let in | RSS | open |")
    print("|---|---|---|---|---|---|---|")
    for way in WAYS:
        done = subprocess.run([sys.executable, __file__, str(rows), way], check=True, capture_output=True, text=True)
        got = json.loads(done.stdout)
        print(
            f"| {way} | {got['new']:.1f} ms | {got['recent']:.1f} ms | {got['old']:.1f} ms | {got['extra']:,.0f} "
            f"| {got['rss']:.0f} MiB | {got['open']:.0f} ms |",
            flush=True,
        )


if __name__ == "__main__":
    main()
