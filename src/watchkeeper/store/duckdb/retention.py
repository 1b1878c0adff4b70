"""Deleting by age, the oldest first, a bounded number of rows at a time."""

from __future__ import annotations

import duckdb
import numpy as np

from watchkeeper.store.api import ExpiryReport
from watchkeeper.store.duckdb import statements
from watchkeeper.store.duckdb.erase import left_none, with_table
from watchkeeper.store.duckdb.index import Gone
from watchkeeper.store.duckdb.rows import traces_table
from watchkeeper.store.duckdb.writer import Writer

__all__ = ["Expirer"]


class Expirer:
    """Deletes a service's oldest spans, and what belonged to traces of which none is left."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def expire(self, project: str, service: str, before: int, *, most: int) -> ExpiryReport:
        """Delete one step; see `SpanStore.expire`."""
        return self._writer.do(lambda db: self._expire(db, project, service, before, most)).result()

    def _expire(
        self, db: duckdb.DuckDBPyConnection, project: str, service: str, before: int, most: int
    ) -> ExpiryReport:
        which: dict[str, str | int] = {"project": project, "service": service}
        cut = db.execute(statements.EXPIRE_CUT, {**which, "before": before, "most": most}).fetchall()
        # Spans that start together go together, so that every step gets on.
        which["before"] = min(before, cut[0][0] + 1) if cut else before
        old = db.execute(statements.OLD_SPANS, which).fetchall()
        if not old:
            return ExpiryReport()
        keys, starts = [row[0] for row in old], [row[1] for row in old]
        traces = {row[2]: row[3] for row in old}
        hashes = np.fromiter(traces, dtype=np.uint64, count=len(traces))
        with self._writer.changes.between(min(starts), max(starts)):
            db.execute("BEGIN")
            db.execute(statements.DELETE_OLD, which)
            gone = Gone(
                spans=len(old), touched=hashes,
                keys=left_none(db, statements.KEYS_LEFT, keys, {"low": min(starts), "high": max(starts)}),
                traces=left_none(db, statements.TRACES_LEFT_WITHIN, list(traces), self._writer.range_of_traces(hashes)),
            )  # fmt: skip
            pending = self._orphans(db, project, traces, gone)
            self._look_again(db, project, traces, gone)
            db.execute("COMMIT")
        self._writer.counts.expired += gone.spans
        self._writer.forget(gone)
        return ExpiryReport(spans=len(old), scores=gone.scores, pending_logs=pending, more=bool(cut))

    def _look_again(self, db: duckdb.DuckDBPyConnection, project: str, traces: dict[int, str], gone: Gone) -> None:
        """Have what is left of a trace looked at anew where it leans on a span that is gone."""
        dropped = set(gone.traces.tolist())
        chosen = traces_table([(hashed, project, name) for hashed, name in traces.items() if hashed not in dropped])
        if chosen.num_rows and with_table(db, statements.MAKE_LEANING_DUE, chosen)[0][0]:
            self._writer.expect_facts()

    @staticmethod
    def _orphans(db: duckdb.DuckDBPyConnection, project: str, traces: dict[int, str], gone: Gone) -> int:
        """Delete scores and waiting log records of traces of which nothing is left; return the log records."""
        chosen = traces_table([(hashed, project, traces[hashed]) for hashed in gone.traces.tolist()])
        scores = [row[0] for row in with_table(db, statements.DELETE_SCORES_OF, chosen)]
        pending = with_table(db, statements.CHOSEN_PENDING, chosen)
        for statement in statements.DELETE_CHOSEN[1:]:
            with_table(db, statement, chosen)
        gone.scores = len(scores)
        gone.score_keys = left_none(db, statements.SCORES_LEFT, scores)
        gone.pending_keys = [row[0] for row in pending]
        return sum(row[2] for row in pending)
