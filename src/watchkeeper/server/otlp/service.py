"""From an OTLP body to durable rows: decode, map and price off the event loop, then wait for the commit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import msgspec

from watchkeeper.ingest import DecodedLogs, DecodedTraces, scores_of
from watchkeeper.kit.clock import Clock
from watchkeeper.kit.errors import OverloadedError
from watchkeeper.server.capture import Capture
from watchkeeper.server.figures import Figures
from watchkeeper.server.metrics import Metrics
from watchkeeper.server.otlp.packing import Export, Packed, Packer
from watchkeeper.server.otlp.workers import WorkerLostError, WorkerPool
from watchkeeper.store.api import Refine, SpanStore, WriteBatch, WriteReceipt

__all__ = ["Accepted", "IngestService"]

T = TypeVar("T")


class Accepted(msgspec.Struct, frozen=True):
    """What an export came to: how many items were refused, and why."""

    rejected: int = 0
    reason: str = ""


class IngestService:
    """Takes decoded telemetry and returns once it is durable.

    `workers` are the processes that pack beside this one. At most `in_flight_bytes` of bodies are
    worked on at a time; beyond that `OverloadedError`.
    """

    def __init__(
        self,
        store: SpanStore,
        refine: Refine,
        capture: Capture,
        metrics: Metrics,
        clock: Clock,
        *,
        in_flight_bytes: int,
        max_body: int,
        workers: WorkerPool,
    ) -> None:
        self._store = store
        self._packer = Packer(refine, capture.spans, store.pack)
        self._max_body = max_body
        self.workers = workers
        self._capture = capture
        self._metrics = metrics
        self._clock = clock
        self._room = in_flight_bytes
        self._in_flight = 0
        self._pool = ThreadPoolExecutor(max(2, workers.limit), thread_name_prefix="ingest")

    async def traces(self, project: str, size: int, decode: Callable[[], DecodedTraces]) -> Accepted:
        """Store a trace export that is decoded here. `size` is its length as sent."""
        return await self._store_packed(
            project, size, lambda: self._packer.decoded(project, decode(), self._clock.now_ns())
        )

    async def trace_body(self, project: str, body: bytes, content_type: str, encoding: str) -> Accepted:
        """Store a trace export as it came over HTTP, packed by another process where the load has started some."""
        export = Export(project, content_type, encoding, self._max_body, self._clock.now_ns())
        return await self._store_packed(project, len(body), lambda: self._pack(export, body))

    def _pack(self, export: Export, body: bytes) -> Packed[WriteBatch]:
        worker = self.workers.take(len(body))
        if worker is None:
            return self._packer.body(export, body)
        try:
            answer, parcel = worker.pack(export, body)
        except WorkerLostError:
            self.workers.drop(worker)
            return self._packer.body(export, body)
        self.workers.give_back(worker)
        if not answer.packed:
            return self._packer.body(export, body)
        self._capture.tell(answer.masked)
        return Packed(self._store.unpack(parcel), answer.figures, answer.rejected, answer.reason)

    async def _store_packed(self, project: str, size: int, work: Callable[[], Packed[WriteBatch]]) -> Accepted:
        packed = await self._off_loop(size, work)
        self._metrics.rejected(project, "traces", packed.rejected)
        if packed.figures:
            weight = max(size, 1_000 * len(packed.figures))
            await self._store_batch(msgspec.structs.replace(packed.parcel, size=weight), packed.figures)
        return Accepted(packed.rejected, packed.reason)

    async def logs(self, project: str, size: int, decode: Callable[[], DecodedLogs]) -> Accepted:
        """Store a log export: records join the spans they name, evaluation results become scores."""

        def work() -> tuple[WriteBatch, DecodedLogs]:
            found = decode()
            masked = self._capture.logs(found.logs, found.services)
            scores = tuple(msgspec.structs.replace(score, project=project) for score in scores_of(masked))
            logs = tuple((project, log) for log in masked)
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
        self.workers.close()

    async def _off_loop(self, size: int, work: Callable[[], T]) -> T:
        if self._in_flight + size > self._room and self._in_flight:
            raise OverloadedError("too much is being ingested at once")
        self._in_flight += size
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._in_flight -= size

    async def _store_batch(self, batch: WriteBatch, figures: Sequence[Figures] = ()) -> None:
        if not (figures or batch.logs or batch.scores):
            return
        accepted = self._store.accept(batch)
        accepted.receipt.add_done_callback(lambda done: self._count(figures, done))
        await asyncio.wrap_future(accepted.durable)

    def _count(self, figures: Sequence[Figures], done: Future[WriteReceipt]) -> None:
        """Count what became of an export, once it is known; a failure is told and logged where it happens."""
        if not done.cancelled() and done.exception() is None:
            self._metrics.stored(figures, done.result().outcomes)
