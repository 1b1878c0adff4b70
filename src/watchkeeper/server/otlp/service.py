"""From an OTLP body to durable rows: decode, map and price off the event loop, then wait for the commit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import msgspec

from watchkeeper.ingest import DecodedLogs, DecodedTraces, map_span
from watchkeeper.kit.clock import Clock
from watchkeeper.kit.errors import OverloadedError
from watchkeeper.model import RawSpan, Span
from watchkeeper.pricing import Pricer
from watchkeeper.server.metrics import Metrics
from watchkeeper.store.api import SpanStore, WriteBatch

__all__ = ["Accepted", "IngestService"]

T = TypeVar("T")


class Accepted(msgspec.Struct, frozen=True):
    """What an export came to: how many items were refused, and why."""

    rejected: int = 0
    reason: str = ""


class IngestService:
    """Takes decoded telemetry and returns once it is durable.

    At most `in_flight_bytes` of bodies are worked on at a time; beyond that `OverloadedError`.
    """

    def __init__(
        self,
        store: SpanStore,
        pricer: Pricer,
        metrics: Metrics,
        clock: Clock,
        *,
        in_flight_bytes: int,
        threads: int = 2,
    ) -> None:
        self._store = store
        self._pricer = pricer
        self._metrics = metrics
        self._clock = clock
        self._room = in_flight_bytes
        self._in_flight = 0
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="ingest")

    def refine(self, project: str, raw: RawSpan, received_at: int) -> Span:
        """Map and price one raw span; what the store calls when it merges two receipts."""
        return self._pricer.price(map_span(project, raw, received_at))

    async def traces(self, project: str, size: int, decode: Callable[[], DecodedTraces]) -> Accepted:
        """Store a trace export. `size` is the body's length as sent."""

        def work() -> tuple[WriteBatch, tuple[Span, ...], DecodedTraces]:
            found = decode()
            now = self._clock.now_ns()
            spans = tuple(self.refine(project, raw, now) for raw in found.spans)
            batch = msgspec.structs.replace(self._store.pack(spans), size=max(size, 1_000 * len(spans)))
            return batch, spans, found

        batch, spans, found = await self._off_loop(size, work)
        await self._store_batch(batch, spans)
        self._metrics.rejected(project, "traces", found.rejected)
        return Accepted(found.rejected, found.reason)

    async def logs(self, project: str, size: int, decode: Callable[[], DecodedLogs]) -> Accepted:
        """Store a log export: records join the spans they name, evaluation results become scores."""

        def work() -> tuple[WriteBatch, DecodedLogs]:
            found = decode()
            scores = tuple(msgspec.structs.replace(score, project=project) for score in found.scores)
            logs = tuple((project, log) for log in found.logs)
            return WriteBatch(logs=logs, scores=scores, size=max(size, 500 * len(logs))), found

        batch, found = await self._off_loop(size, work)
        await self._store_batch(batch)
        self._metrics.rejected(project, "logs", found.rejected)
        return Accepted(found.rejected, found.reason)

    async def metrics(self, size: int, count: Callable[[], int]) -> Accepted:
        """Check a metric export; points are accepted and not stored."""
        await self._off_loop(size, count)
        return Accepted()

    def refused(self, code: str) -> None:
        """Count a refusal."""
        self._metrics.refused(code)

    def close(self) -> None:
        """Stop the worker threads once their work is done."""
        self._pool.shutdown(wait=True)

    async def _off_loop(self, size: int, work: Callable[[], T]) -> T:
        if self._in_flight + size > self._room and self._in_flight:
            raise OverloadedError("too much is being ingested at once")
        self._in_flight += size
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._in_flight -= size

    async def _store_batch(self, batch: WriteBatch, spans: tuple[Span, ...] = ()) -> None:
        if not (spans or batch.logs or batch.scores):
            return
        receipt = await asyncio.wrap_future(self._store.submit(batch))
        self._metrics.stored(spans, receipt.outcomes)
