"""Prices for the API: pricing anew."""

from __future__ import annotations

from watchkeeper.pricing import Pricer
from watchkeeper.server.prices.backfill import reprice
from watchkeeper.server.prices.schemas import BackfillIn, BackfillOut
from watchkeeper.server.request import nanoseconds
from watchkeeper.store.api import SpanFilter, SpanStore

__all__ = ["PriceService"]

_MOST_TIME = 2**62


class PriceService:
    """Prices stored calls of one project anew, a step at a time; between steps anything else may be written."""

    def __init__(self, store: SpanStore, pricer: Pricer) -> None:
        self._store = store
        self.pricer = pricer

    def backfill(self, project: str, wanted: BackfillIn) -> BackfillOut:
        """Take one step.

        Raises:
            RequestError: a time or the cursor is malformed.
        """
        where = SpanFilter(
            since=nanoseconds("since", wanted.since), until=nanoseconds("until", wanted.until),
            service=wanted.service, model=wanted.model,
        )  # fmt: skip
        page = self._store.priced_spans(project, where, limit=wanted.limit, cursor=wanted.cursor)
        found = reprice(page.items, self.pricer.cost_of, provided=wanted.provided)
        changed = len(found.changes) if wanted.dry_run else self._store.reprice(project, found.changes)
        return BackfillOut(
            calls=len(page.items), changed=changed, provided=found.provided, kept=found.kept,
            missed=len(found.changes) - changed,
            before_nano_usd=found.before, after_nano_usd=found.after,  # type: ignore[arg-type]  # Big takes the number
            reached=page.items[-1].start_time if page.items else None,
            total=self._count(project, where) if wanted.cursor is None else None,
            next_cursor=page.next_cursor,
        )  # fmt: skip

    def _count(self, project: str, where: SpanFilter) -> int:
        figures = self._store.overview(
            project, since=where.since or 0, until=where.until or _MOST_TIME, service=where.service, buckets=1
        )
        return sum(row.requests for row in figures.models if where.model in {None, row.model})
