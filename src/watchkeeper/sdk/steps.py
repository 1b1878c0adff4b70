"""Generators, step by step: what is open in the body is not open in its consumer, and stays open in the body."""

from __future__ import annotations

import functools
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any, Protocol

from opentelemetry import context as otel_context

__all__ = ["Watch", "watch_async_generator", "watch_generator"]


class Watch(Protocol):
    """What goes along with one run of a generator."""

    inside: otel_context.Context
    """The context its body runs in; what the body changes is kept from step to step."""

    def add(self, item: Any) -> None:
        """See an item."""
        ...

    def fail(self, error: BaseException) -> None:
        """See the error that ends it."""
        ...

    def end(self) -> None:
        """See the end, whatever it was."""
        ...


Begin = Callable[[tuple[Any, ...], dict[str, Any]], Watch]


def watch_generator(function: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    """Wrap a generator function; what is sent, thrown or closed goes to its body, as with `yield from`."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        watch = begin(args, kwargs)
        try:
            inner = function(*args, **kwargs)
            step = functools.partial(next, inner)
            while True:
                try:
                    item = _inside(watch, step)
                except StopIteration as stop:
                    return stop.value
                watch.add(item)
                try:
                    step = functools.partial(inner.send, (yield item))
                except GeneratorExit:
                    _inside(watch, inner.close)
                    raise
                except BaseException as error:
                    step = functools.partial(inner.throw, error)
        except GeneratorExit:  # the consumer stopped: no error of the function
            raise
        except BaseException as error:
            watch.fail(error)
            raise
        finally:
            watch.end()

    return call


def watch_async_generator(function: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    """Do the same for an async generator function."""

    @functools.wraps(function)
    async def call(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        watch = begin(args, kwargs)
        try:
            inner = function(*args, **kwargs)
            step: Callable[[], Any] = inner.__anext__
            while True:
                try:
                    item = await _async_inside(watch, step)
                except StopAsyncIteration:
                    return
                watch.add(item)
                try:
                    step = functools.partial(inner.asend, (yield item))
                except GeneratorExit:
                    await _async_inside(watch, inner.aclose)
                    raise
                except BaseException as error:
                    step = functools.partial(inner.athrow, error)
        except GeneratorExit:
            raise
        except BaseException as error:
            watch.fail(error)
            raise
        finally:
            watch.end()

    return call


def _inside(watch: Watch, step: Callable[[], Any]) -> Any:
    token = otel_context.attach(watch.inside)
    try:
        return step()
    finally:
        watch.inside = otel_context.get_current()
        otel_context.detach(token)


async def _async_inside(watch: Watch, step: Callable[[], Any]) -> Any:
    token = otel_context.attach(watch.inside)
    try:
        return await step()
    finally:
        watch.inside = otel_context.get_current()
        otel_context.detach(token)
