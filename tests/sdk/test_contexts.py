"""Whose child a span is, and of which session: across threads, tasks and generators, ended or left half-way."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import logging
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor

import anyio
import pytest
from openai import AsyncOpenAI
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

import watchkeeper as wk
from tests.sdk import peer as peers
from tests.sdk.peer import Peer

QUESTION = "What is the weather in Bern?"


@wk.observe
def leaf(name: str) -> str:
    return name


@wk.observe
def branch(name: str) -> str:
    return leaf(name)


def family(exported: InMemorySpanExporter) -> dict[str, str | None]:
    """Return, by what spans were given, what their parents were given."""
    wk.flush()
    found = exported.get_finished_spans()
    by_id = {span.context.span_id: span for span in found if span.context is not None}
    return {given(one): given(by_id[one.parent.span_id]) if one.parent is not None else None for one in found}


def given(span: ReadableSpan) -> str:
    """Return a span's name and input."""
    return f"{span.name} {(span.attributes or {}).get('watchkeeper.input', '')}".strip()


def test_a_pool_takes_the_context_that_it_is_given(exported: InMemorySpanExporter) -> None:
    """A pool's thread knows nothing of who submitted, as in all of Python; run in a copy of the context, it is inside."""

    @wk.observe
    def outer(name: str) -> None:
        pool.submit(leaf, "alone").result()
        pool.submit(contextvars.copy_context().run, leaf, "inside").result()
        pool.submit(leaf, "alone again").result()

    with ThreadPoolExecutor(1) as pool:
        outer("x")

    assert family(exported) == {"outer x": None, "leaf alone": None, "leaf inside": "outer x", "leaf alone again": None}


def test_threads_at_once(exported: InMemorySpanExporter) -> None:
    """Calls under way in several threads at the same moment each have their own children."""
    together = threading.Barrier(8)

    @wk.observe
    def outer(name: str) -> None:
        together.wait(60)
        leaf(name)
        together.wait(60)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(outer, "abcdefgh"))

    assert family(exported) == {f"leaf {n}": f"outer {n}" for n in "abcdefgh"} | {
        f"outer {n}": None for n in "abcdefgh"
    }


async def test_model_calls_in_many_tasks(async_client: AsyncOpenAI, exported: InMemorySpanExporter) -> None:
    """Calls of one async client from tasks at once each belong to the task's own span, streams too."""

    @wk.observe
    async def ask(name: str) -> None:
        if int(name) % 2:
            await async_client.chat.completions.create(
                model=f"m{name}", messages=[{"role": "user", "content": QUESTION}]
            )
            return
        stream = await async_client.chat.completions.create(
            model=f"m{name}", messages=[{"role": "user", "content": QUESTION}], stream=True
        )
        async for _ in stream:
            await asyncio.sleep(0)

    await asyncio.gather(*(ask(str(number)) for number in range(5)))
    found = family(exported)

    assert found == {f"chat m{n}": f"ask {n}" for n in range(5)} | {f"ask {n}": None for n in range(5)}


async def test_tasks_and_their_threads_inherit(exported: InMemorySpanExporter) -> None:
    """asyncio's tasks, anyio's task groups and what runs in a thread for them are inside what started them."""

    @wk.observe
    async def tasks(name: str) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.to_thread(leaf, "asyncio"))
        async with anyio.create_task_group() as started:
            started.start_soon(anyio.to_thread.run_sync, leaf, "anyio")
        asyncio.get_running_loop().call_soon(leaf, "soon")
        await asyncio.sleep(0)

    await tasks("x")
    found = family(exported)

    assert found == {"tasks x": None, "leaf asyncio": "tasks x", "leaf anyio": "tasks x", "leaf soon": "tasks x"}


def test_generators_taken_in_turns(exported: InMemorySpanExporter) -> None:
    """Generators that are advanced in turns keep apart what each of them has open, and so does their consumer."""

    @wk.observe
    def steps(name: str) -> Iterator[str]:
        for number in range(2):
            yield branch(f"{name}{number}")

    for one, other in zip(steps("a"), steps("b"), strict=True):
        leaf(f"consumer of {one} and {other}")
    found = family(exported)

    assert {found[f"branch {name}{n}"] for name in "ab" for n in (0, 1)} == {"steps a", "steps b"}
    assert [found[f"branch a{n}"] for n in (0, 1)] == ["steps a"] * 2
    assert [found[f"leaf consumer of a{n} and b{n}"] for n in (0, 1)] == [None, None]
    assert (found["steps a"], found["steps b"]) == (None, None)


async def test_an_async_generator_handed_from_task_to_task(exported: InMemorySpanExporter) -> None:
    """An async generator whose steps are taken by different tasks keeps its own context, and leaves theirs alone."""

    @wk.observe
    async def steps(name: str) -> AsyncIterator[str]:
        for number in range(4):
            await asyncio.sleep(0)
            yield branch(f"{name}{number}")

    @wk.observe
    async def taker(name: str) -> None:
        leaf(await anext(iterator))

    iterator = aiter(steps("s"))
    for number in range(4):
        await asyncio.create_task(taker(str(number)))
    await iterator.aclose()  # type: ignore[attr-defined]  # a generator behind the type
    found = family(exported)

    assert [found[f"branch s{n}"] for n in range(4)] == ["steps s"] * 4
    assert [found[f"leaf s{n}"] for n in range(4)] == [f"taker {n}" for n in range(4)]


async def test_an_abandoned_async_generator(
    async_client: AsyncOpenAI, exported: InMemorySpanExporter, caplog: pytest.LogCaptureFixture
) -> None:
    """A traced async generator over a stream that nobody reads to its end: each span ends once, and we say nothing of it."""

    @wk.observe
    async def words(name: str) -> AsyncIterator[str]:
        stream = await async_client.chat.completions.create(
            model="gpt-4o-mini", messages=[{"role": "user", "content": QUESTION}], stream=True
        )
        async for chunk in stream:
            yield chunk.choices[0].delta.content or ""

    async for _ in words("w"):
        break
    gc.collect()
    await asyncio.sleep(0)
    await asyncio.get_running_loop().shutdown_asyncgens()
    gc.collect()
    wk.flush()

    assert sorted(given(one) for one in exported.get_finished_spans()) == ["chat gpt-4o-mini", "words w"]
    assert [one for one in caplog.records if one.levelno >= logging.WARNING and one.name != "asyncio"] == []


FIRST = (
    b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m",'
    b'"choices":[{"index":0,"delta":{"role":"assistant","content":"It "},"finish_reason":null}]}\n\n'
)


def starts_a_stream(connection: peers.Connection) -> None:
    """Send one chunk, and no more."""
    connection.request()
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n" + FIRST)
    connection.hang()


async def test_a_stream_cancelled_midway(exported: InMemorySpanExporter) -> None:
    """A task cancelled while it waits for a chunk gets its CancelledError; the span has what had come, ended once."""
    with Peer(starts_a_stream) as peer:
        client = wk.wrap(AsyncOpenAI(base_url=peer.url, api_key="none", max_retries=0))
        came = asyncio.Event()

        async def read() -> None:
            stream = await client.chat.completions.create(
                model="m", messages=[{"role": "user", "content": QUESTION}], stream=True
            )
            async for _ in stream:
                came.set()

        task = asyncio.create_task(read())
        await came.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await client.close()
    wk.flush()
    (span,) = exported.get_finished_spans()
    told = span.attributes or {}

    assert (told["error.type"], span.status.status_code) == ("CancelledError", StatusCode.ERROR)
    assert '"It "' in str(told["gen_ai.output.messages"])


async def test_a_call_that_takes_too_long(exported: InMemorySpanExporter) -> None:
    """A timeout around a call that never comes back is the caller's TimeoutError, and the call's span failed, once."""
    with Peer(peers.never_answers) as peer:
        client = wk.wrap(AsyncOpenAI(base_url=peer.url, api_key="none", max_retries=0))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await client.chat.completions.create(model="m", messages=[{"role": "user", "content": QUESTION}])
        await client.close()
    wk.flush()
    (span,) = exported.get_finished_spans()

    assert (span.attributes or {})["error.type"] == "CancelledError"


def test_one_session_in_threads_at_once(exported: InMemorySpanExporter, caplog: pytest.LogCaptureFixture) -> None:
    """One session object, open in two threads that leave it in the order they came, closes each thread's own."""
    shared = wk.session("shared")
    second_is_in, first_is_out = threading.Event(), threading.Event()

    def first() -> None:
        with shared:
            assert second_is_in.wait(60)
        leaf("first, outside")
        first_is_out.set()

    def second() -> None:
        with shared:
            second_is_in.set()
            assert first_is_out.wait(60)
            leaf("second, inside")
        leaf("second, outside")

    with ThreadPoolExecutor(2) as pool:
        for done in (pool.submit(first), pool.submit(second)):
            done.result()
    wk.flush()
    sessions = {given(one): (one.attributes or {}).get("session.id") for one in exported.get_finished_spans()}

    assert sessions == {"leaf first, outside": None, "leaf second, inside": "shared", "leaf second, outside": None}
    assert [one for one in caplog.records if one.levelno >= logging.WARNING] == []


def test_a_session_closed_elsewhere(exported: InMemorySpanExporter) -> None:
    """A session that is opened in one context and closed in another neither raises nor closes what is open there."""
    opened = wk.session("opened elsewhere")
    contextvars.copy_context().run(opened.__enter__)
    with wk.session("here"):
        opened.__exit__()
        leaf("x")
    wk.flush()

    assert [(one.attributes or {})["session.id"] for one in exported.get_finished_spans()] == ["here"]


def test_a_list_that_holds_itself(exported: InMemorySpanExporter) -> None:
    """Arguments and results without an end do not raise into the host, at whatever depth of its stack it is."""
    endless: list[object] = []
    endless.append(endless)

    @wk.observe
    def gives(value: object) -> object:
        return value

    def dive(depth: int) -> object:
        return gives(endless) if depth == 0 else dive(depth - 1)

    assert dive(700) is endless
    wk.flush()
    assert [one.name for one in exported.get_finished_spans()] == ["gives"]
