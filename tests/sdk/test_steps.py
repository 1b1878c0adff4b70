"""Generators keep their manners when they are traced, and sessions hold across their steps."""

from __future__ import annotations

import functools
import gc
import inspect
import weakref
from collections.abc import AsyncGenerator, Generator, Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

import watchkeeper as wk
from watchkeeper.sdk.encode import LIMIT


def sessions(exported: InMemorySpanExporter) -> list[tuple[str, Any]]:
    """Return each finished span's name and session."""
    wk.flush()
    return [(span.name, (span.attributes or {}).get("session.id")) for span in exported.get_finished_spans()]


@wk.observe
def step(_: str) -> None:
    """Make a span."""


@wk.observe
def talks() -> Generator[Any, Any, str]:
    """Yield what it is sent, and survive one error."""
    got = yield "first"
    try:
        yield got
    except KeyError:
        yield "caught"
    return "returned"


@wk.observe
async def talks_async() -> AsyncGenerator[Any, Any]:
    """Do the same, async."""
    got = yield "first"
    try:
        yield got
    except KeyError:
        yield "caught"


def test_an_error_the_body_does_not_catch_fails_the_span(exported: InMemorySpanExporter) -> None:
    """An exception thrown in and not caught comes out again, and fails the span."""
    running = talks()
    next(running)
    with pytest.raises(ValueError, match="out"):
        running.throw(ValueError("out"))
    wk.flush()
    (span,) = exported.get_finished_spans()

    assert span.status.status_code is StatusCode.ERROR


def test_what_is_sent_and_thrown_reaches_the_body(exported: InMemorySpanExporter) -> None:
    """A traced generator answers `next`, `send`, `throw` and `return` as the bare one does."""
    running = talks()
    got = [next(running), running.send("sent"), running.throw(KeyError())]
    with pytest.raises(StopIteration) as stop:
        next(running)

    assert got == ["first", "sent", "caught"]
    assert stop.value.value == "returned"


async def test_the_same_of_an_async_generator(exported: InMemorySpanExporter) -> None:
    """A traced async generator answers `anext`, `asend` and `athrow` as the bare one does."""
    running = talks_async()

    assert [await anext(running), await running.asend("sent"), await running.athrow(KeyError())] == [
        "first", "sent", "caught",
    ]  # fmt: skip
    with pytest.raises(StopAsyncIteration):
        await anext(running)


async def test_stopping_early_closes_the_body_and_is_no_error(exported: InMemorySpanExporter) -> None:
    """`close` and `aclose` run the body's `finally`, and the span did not fail."""
    closed: list[str] = []

    @wk.observe
    def plain() -> Generator[int, None, None]:
        try:
            yield 1
        finally:
            closed.append("plain")

    @wk.observe
    async def asynchronous() -> AsyncGenerator[int, None]:
        try:
            yield 1
        finally:
            closed.append("async")

    first, second = plain(), asynchronous()
    next(first)
    await anext(second)
    first.close()
    await second.aclose()
    wk.flush()

    assert closed == ["plain", "async"]
    assert {span.status.status_code for span in exported.get_finished_spans()} == {StatusCode.UNSET}


def test_traced_functions_stay_of_their_kind() -> None:
    """Frameworks ask what a function is: a traced or sessioned one answers as the bare one does."""

    async def coroutine() -> None: ...

    for decorate in (wk.observe, wk.session("s")):
        assert inspect.isgeneratorfunction(decorate(talks))
        assert inspect.isasyncgenfunction(decorate(talks_async))
        assert inspect.iscoroutinefunction(decorate(coroutine))


def test_a_partial_is_traced(exported: InMemorySpanExporter) -> None:
    """A callable without a name of its own is traced under its type's."""
    assert wk.observe(functools.partial(max, 1))(2) == 2
    assert sessions(exported) == [("partial", None)]


def test_a_session_opened_in_a_generator_holds_across_its_steps(exported: InMemorySpanExporter) -> None:
    """A session opened before a `yield` is still open after it, and never in the consumer."""

    @wk.observe
    def body() -> Generator[int, None, None]:
        with wk.session("inside"):
            step("a")
            yield 1
            step("b")
            yield 2

    for _ in body():
        step("consumer")

    assert sessions(exported) == [
        ("step", "inside"), ("step", None), ("step", "inside"), ("step", None), ("body", None),
    ]  # fmt: skip
    assert not trace.get_current_span().get_span_context().is_valid


async def test_a_session_decorates_any_function(exported: InMemorySpanExporter) -> None:
    """As a decorator it is open in plain and async functions and in the bodies of generators, call after call."""
    mark = wk.session("s", user="ada")

    @mark
    def plain() -> None:
        step("p")

    @mark
    async def coroutine() -> None:
        step("c")

    @mark
    def generator() -> Generator[int, None, None]:
        step("g")
        yield 1
        step("g")

    @mark
    async def async_generator() -> AsyncGenerator[int, None]:
        step("a")
        yield 1

    plain()
    plain()
    await coroutine()
    list(generator())
    async for _ in async_generator():
        step("outside")

    assert sessions(exported) == [("step", "s")] * 6 + [("step", None)]


def test_what_a_generator_gives_is_let_go(exported: InMemorySpanExporter) -> None:
    """A traced generator that is still open keeps none of the objects it gave before, and of its text as much as is written."""

    class Page:
        """An object of the host's."""

    @wk.observe
    def pages() -> Generator[Page, None, None]:
        while True:
            yield Page()

    @wk.observe
    def text() -> Iterator[str]:
        for _ in range(5):
            yield "x" * (LIMIT // 4)

    running = pages()
    given = weakref.ref(next(running))
    next(running)
    gc.collect()

    assert given() is None
    assert sum(map(len, text())) == LIMIT // 4 * 5
    running.close()
    wk.flush()
    output = {span.name: (span.attributes or {})["watchkeeper.output"] for span in exported.get_finished_spans()}
    assert str(output["text"]).endswith(f"… [{LIMIT // 4 + 100} more characters]")
