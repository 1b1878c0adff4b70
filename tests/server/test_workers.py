"""Exports packed by processes beside the server: the same rows, and nothing lost when one dies."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.otlp import CHAT, ROOT, TRACE, request, span
from watchkeeper.kit.settings import ServerSettings
from watchkeeper.server import Services, assemble, create_app
from watchkeeper.server.otlp.packing import Export
from watchkeeper.server.otlp.workers import Worker, WorkerLostError, WorkerPool, WorkerSettings

PROTOBUF = {"Content-Type": "application/x-protobuf"}
EXPORT = Export("default", PROTOBUF["Content-Type"], "", 1 << 20, 1)
BODY = request(span()).SerializeToString()


def settings_in(folder: Path) -> WorkerSettings:
    """Return what a worker is told when nothing is set."""
    return WorkerSettings(None, None, "masked", None, str(folder))


@pytest.fixture(name="worker")
def _worker(tmp_path: Path) -> Iterator[Worker]:
    worker = Worker(settings_in(tmp_path))
    worker.wait_ready()
    yield worker
    worker.stop()


@pytest.fixture(name="pool")
def _pool(tmp_path: Path) -> Iterator[WorkerPool]:
    pool = WorkerPool(2, settings_in(tmp_path), busy_bytes=0)
    yield pool
    pool.close()


def until(true: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait until it is so."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.02)


def children() -> set[int]:
    """Return the packing processes of this one."""
    living = (one for one in psutil.Process().children() if one.status() != psutil.STATUS_ZOMBIE)
    return {one.pid for one in living if "watchkeeper.server.otlp.worker" in " ".join(one.cmdline())}


def test_a_dead_worker_is_named_lost(worker: Worker) -> None:
    """A worker that was killed raises, it does not hang its caller."""
    worker.kill()

    with pytest.raises(WorkerLostError):
        worker.pack(EXPORT, BODY)


def test_what_does_not_parse_is_left_to_the_server(worker: Worker) -> None:
    """A broken body comes back unpacked, and the worker goes on with the next."""
    assert not worker.pack(EXPORT, b"\xff\xff")[0].packed
    assert worker.pack(EXPORT, BODY)[0].packed


def test_a_worker_says_what_is_counted(worker: Worker) -> None:
    """The figures of each span come back beside the columns."""
    answer, parcel = worker.pack(EXPORT, BODY)

    assert [(one.trace_id, one.span_id, one.usage.input_tokens) for one in answer.figures] == [(TRACE, ROOT, 1000)]
    assert len(parcel) > 1_000


def test_a_worker_ends_with_the_server(worker: Worker) -> None:
    """When the pipe closes, the process ends by itself and leaves nothing."""
    process = psutil.Process(worker.pid)
    worker._requests.close()

    assert process.wait(60) == 0


def test_idle_is_one_process(tmp_path: Path) -> None:
    """Before there is a load there are no workers."""
    pool = WorkerPool(2, settings_in(tmp_path))

    assert pool.take(1_000) is None
    assert pool.running == 0


def test_none_is_none(tmp_path: Path) -> None:
    """A limit of 0 never starts one."""
    pool = WorkerPool(0, settings_in(tmp_path), busy_bytes=0)

    assert pool.take(1 << 30) is None
    assert pool.running == 0


def test_a_load_starts_them(pool: WorkerPool) -> None:
    """Under load as many start as may."""
    assert pool.take(1) is None
    until(lambda: pool.running == 2)

    assert pool.take(1) is not None


async def test_packed_elsewhere_is_stored_the_same(tmp_path: Path) -> None:
    """A span reads the same whether the server packed it or a worker did."""
    here = await stored(tmp_path / "here", processes=0)
    there = await stored(tmp_path / "there", processes=1)

    assert there == here
    assert there["usage"]["input_tokens"] == 1000


async def stored(folder: Path, *, processes: int) -> dict[str, Any]:
    """Export a span through workers, or without, and read it back."""
    services = assemble(ServerSettings(ingest_processes=processes), folder)
    try:
        if processes:
            services.ingest.workers.take(1 << 30)
            await asyncio.to_thread(until, lambda: services.ingest.workers.running == processes)
        async with client(services) as http:
            now = 1_700_000_000_000_000_000
            body = request(span(start=now, end=now + 10**9)).SerializeToString()
            assert (await http.post("/v1/traces", content=body, headers=PROTOBUF)).status_code == 200
            found: dict[str, Any] = (await http.get(f"/api/v1/traces/{TRACE}/spans/{ROOT}")).json()
        return {name: value for name, value in found.items() if name != "received_at"}
    finally:
        services.close()


def client(services: Services) -> httpx.AsyncClient:
    """Talk to the app as a caller on loopback."""
    transport = httpx.ASGITransport(create_app(services), client=("127.0.0.1", 1234))
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:7070")


@pytest.mark.slow
async def test_killing_workers_loses_nothing(tmp_path: Path) -> None:
    """While workers are killed one after another, every export is acknowledged and stored once."""
    services = assemble(ServerSettings(ingest_processes=2), tmp_path / "data")
    before = children()
    try:
        services.ingest.workers.take(1 << 30)
        await asyncio.to_thread(until, lambda: services.ingest.workers.running == 2)
        async with client(services) as http:
            for number in range(40):
                if number % 5 == 0:
                    for pid in children() - before:
                        os.kill(pid, signal.SIGKILL)
                spans = [span(span_id=f"{number * 10 + n + 1:016x}", attributes=CHAT) for n in range(10)]
                answer = await http.post("/v1/traces", content=request(*spans).SerializeToString(), headers=PROTOBUF)
                assert answer.status_code == 200
        assert services.store.settle(30)
        assert services.store.stats().spans == 400
    finally:
        services.close()
