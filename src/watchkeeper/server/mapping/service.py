"""Mapping stored spans anew with today's mapper, from the raw spans beside them."""

from __future__ import annotations

import msgspec

from watchkeeper.ingest import MAPPER_VERSION, map_span
from watchkeeper.model import Span
from watchkeeper.pricing import Pricer
from watchkeeper.server.mapping.schemas import RemapIn, RemapOut
from watchkeeper.server.prices.backfill import says
from watchkeeper.server.prices.display import Display
from watchkeeper.server.request import nanoseconds
from watchkeeper.store.api import SpanFilter, SpanStore

__all__ = ["MappingService", "map_anew"]

_PRICED_BY = (
    "kind", "provider", "model", "request_model", "response_model", "usage", "start_time", "endpoint_host", "region",
)  # fmt: skip


class MappingService:
    """Maps a project's spans anew, a step at a time; between steps anything else may be written."""

    def __init__(self, store: SpanStore, pricer: Pricer, display: Display) -> None:
        self._store = store
        self._pricer = pricer
        self._display = display

    def backfill(self, project: str, wanted: RemapIn) -> RemapOut:
        """Take one step.

        Raises:
            RequestError: a time or the cursor is malformed.
            StoreFullError: too little of the disk is free.
        """
        where = SpanFilter(
            since=nanoseconds("since", wanted.since), until=nanoseconds("until", wanted.until),
            service=wanted.service, model=wanted.model, mapper_before=None if wanted.all else MAPPER_VERSION,
        )  # fmt: skip
        total = self._store.count_spans(project, where) if wanted.cursor is None else None
        found = self._store.remap(
            project, where, lambda span: map_anew(span, self._pricer), limit=wanted.limit, cursor=wanted.cursor,
            dry_run=wanted.dry_run,
        )  # fmt: skip
        return RemapOut(
            spans=found.spans, changed=found.changed, missed=found.missed, fields=found.fields,
            before_nano_usd=found.before_nano_usd, after_nano_usd=found.after_nano_usd,  # type: ignore[arg-type]
            mapper=MAPPER_VERSION, reached=found.reached, total=total,  # type: ignore[arg-type]  # Time takes the number
            next_cursor=found.next_cursor, display=self._display.now(),
        )  # fmt: skip


def map_anew(span: Span, pricer: Pricer) -> Span:
    """Return a stored span as it would be mapped and priced if it came now.

    The service stays: what may be kept of a span, and how long, was decided by it. So does a cost as long as nothing
    it depends on is read otherwise: prices are worked out anew by `backfill prices`.
    """
    mapped = msgspec.structs.replace(map_span(span.project, span.raw, span.received_at), service=span.service)
    said = mapped.cost
    if said is not None:
        kept = span.cost is not None and says(span.cost) == says(said)
    else:
        kept = (span.cost is None or span.cost.state != "provided") and _priced_alike(span, mapped, pricer)
    return msgspec.structs.replace(mapped, cost=span.cost) if kept else pricer.price(mapped)


def _priced_alike(one: Span, other: Span, pricer: Pricer) -> bool:
    tiers = [span.parameters.get("service_tier") for span in (one, other)]
    if tiers[0] == tiers[1] and all(getattr(one, name) == getattr(other, name) for name in _PRICED_BY):
        return True
    # A share of a machine's hour: the hour's sum stands until `backfill prices` shares it anew.
    pool = pricer.pool_of(one)
    return one.cost is not None and pool is not None and one.kind == other.kind and pool == pricer.pool_of(other)
