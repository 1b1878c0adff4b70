"""What every traced client method does, whoever's client it is: a span before, its fields after, a stream watched.

A provider's file says what its calls mean (an `Operation` a method); this one drives them, sync and async.
"""

from __future__ import annotations

import functools
import logging
import time
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, NamedTuple

from opentelemetry import context as otel_context
from opentelemetry.trace import Span, SpanKind

from watchkeeper.model import semconv
from watchkeeper.sdk.observe import fail
from watchkeeper.sdk.runtime import current, tracer
from watchkeeper.sdk.wrappers.fold import Fold, SpanFields
from watchkeeper.sdk.wrappers.quiet import traced_context

__all__ = ["Call", "Operation", "Place", "Watch", "captures", "fields_of_server", "traced"]

_log = logging.getLogger("watchkeeper")


class Operation(NamedTuple):
    """What one kind of call means, in OTel's terms."""

    name: str
    """`gen_ai.operation.name`, and the first word of the span's name."""
    request: Callable[..., SpanFields]
    """Takes the call's keyword arguments and `content=`; describes the request."""
    result: Callable[..., SpanFields]
    """Takes the answer and `content=`; describes it."""
    fold: Callable[[], Fold] | None = None
    """Makes what a stream's chunks are folded into; None where the call never streams."""
    asks: Callable[[dict[str, Any]], bool] | None = None
    """May add to the arguments what our reading needs; True when it did, and `hides` then applies."""
    hides: Callable[[Any], bool] | None = None
    """Says of a chunk that the caller would not have had it but for `asks`."""


class Place(NamedTuple):
    """Where a client's stream object keeps what it iterates, and what closes it."""

    iterator: str
    close: str = "close"


class Call:
    """One traced method: what both drivers do before, after, on error and while a stream runs."""

    def __init__(self, operation: Operation, fixed: SpanFields, place: Place) -> None:
        self.operation = operation
        self._fixed = {semconv.OPERATION: operation.name, **fixed}
        self._place = place

    def start(self, kwargs: dict[str, Any]) -> tuple[Span, bool]:
        """Start the span; says too whether chunks were asked for on the caller's behalf."""
        fields, name, model = dict(self._fixed), self.operation.name, kwargs.get("model")
        if isinstance(model, str):
            fields[semconv.REQUEST_MODEL] = model
            name = f"{name} {model}"
        try:
            fields.update(self.operation.request(kwargs, content=captures()))
        except Exception:
            _log.debug("a request could not be described", exc_info=True)
        span = tracer().start_span(name, kind=SpanKind.CLIENT, attributes=fields)
        asks = self.operation.asks
        return span, asks is not None and span.is_recording() and asks(kwargs)

    def finish(self, span: Span, begun: float, answer: Any, *, hide: bool) -> None:
        """Watch an answer that is a stream; describe any other, and end the span."""
        if self.operation.fold is not None and hasattr(answer, self._place.iterator):
            watch = Watch(span, self.operation.fold(), begun, self.operation.hides if hide else None)
            watch.attach(answer, self._place)
            return
        describe(span, lambda: self.operation.result(answer, content=captures()))
        span.end()


class Watch:
    """What happens at each chunk and at the end, however the stream ends."""

    def __init__(self, span: Span, fold: Fold, begun: float, hides: Callable[[Any], bool] | None = None) -> None:
        self._span = span
        self._fold = fold
        self._hides = hides
        self._begun = begun
        self._first = True
        self._ended = False

    def attach(self, stream: Any, place: Place) -> None:
        """Watch in place: the stream keeps its type, and closing or dropping it ends the span, read or not."""
        inner = getattr(stream, place.iterator)
        is_async = hasattr(inner, "__anext__")
        setattr(stream, place.iterator, _async_chunks(inner, self) if is_async else _chunks(inner, self))
        close = getattr(stream, place.close, None)
        if close is not None:
            setattr(stream, place.close, _async_closing(close, self) if is_async else _closing(close, self))
        weakref.finalize(stream, self.end)

    def passes(self, chunk: Any) -> bool:
        """Take a chunk; False for one that the caller did not ask for."""
        try:
            if self._fold.add(chunk) and self._first:
                self._first = False
                self._span.set_attribute(semconv.TIME_TO_FIRST_CHUNK, time.perf_counter() - self._begun)
            return self._hides is None or not self._hides(chunk)
        except Exception:
            _log.debug("a chunk could not be read", exc_info=True)
            return True

    def end(self, error: BaseException | None = None) -> None:
        """End the span once."""
        if self._ended:
            return
        self._ended = True
        describe(self._span, lambda: self._fold.fields(content=captures()))
        if error is not None:
            fail(self._span, error)
        self._span.end()


def traced(original: Callable[..., Any], call: Call, *, is_async: bool) -> Callable[..., Any]:
    """Return the method that traces each call of `original`; what it returns and raises is what the caller gets."""
    return _async_method(original, call) if is_async else _sync_method(original, call)


def captures() -> bool:
    """Say whether prompts and answers are written."""
    runtime = current()
    return runtime is None or runtime.content


def describe(span: Span, read: Callable[[], SpanFields]) -> None:
    """Put fields on a span; what goes wrong in reading them is ours alone."""
    try:
        span.set_attributes(read())
    except Exception:
        _log.debug("an answer could not be described", exc_info=True)


def fields_of_server(provider: str, host: str | None, port: int | None) -> SpanFields:
    """Say who answers, and where."""
    found: SpanFields = {semconv.PROVIDER: provider}
    if host:
        found[semconv.SERVER_ADDRESS] = host
    if port:
        found[semconv.SERVER_PORT] = port
    return found


def _sync_method(original: Callable[..., Any], call: Call) -> Callable[..., Any]:
    @functools.wraps(original)
    def method(*args: Any, **kwargs: Any) -> Any:
        begun = time.perf_counter()
        span, hide = call.start(kwargs)
        token = otel_context.attach(traced_context(span))
        try:
            answer = original(*args, **kwargs)
        except BaseException as error:
            fail(span, error)
            span.end()
            raise
        finally:
            otel_context.detach(token)
        call.finish(span, begun, answer, hide=hide)
        return answer

    return method


def _async_method(original: Callable[..., Any], call: Call) -> Callable[..., Any]:
    @functools.wraps(original)
    async def method(*args: Any, **kwargs: Any) -> Any:
        begun = time.perf_counter()
        span, hide = call.start(kwargs)
        token = otel_context.attach(traced_context(span))
        try:
            answer = await original(*args, **kwargs)
        except BaseException as error:
            fail(span, error)
            span.end()
            raise
        finally:
            otel_context.detach(token)
        call.finish(span, begun, answer, hide=hide)
        return answer

    return method


def _closing(close: Callable[[], Any], watch: Watch) -> Callable[[], Any]:
    @functools.wraps(close)
    def closing() -> Any:
        try:
            return close()
        finally:
            watch.end()

    return closing


def _async_closing(close: Callable[[], Any], watch: Watch) -> Callable[[], Any]:
    @functools.wraps(close)
    async def closing() -> Any:
        try:
            return await close()
        finally:
            watch.end()

    return closing


def _chunks(inner: Iterator[Any], watch: Watch) -> Iterator[Any]:
    try:
        for chunk in inner:
            if watch.passes(chunk):
                yield chunk
    except GeneratorExit:  # the reader stopped: no error of the call
        raise
    except BaseException as error:
        watch.end(error)
        raise
    finally:
        watch.end()


async def _async_chunks(inner: AsyncIterator[Any], watch: Watch) -> AsyncIterator[Any]:
    try:
        async for chunk in inner:
            if watch.passes(chunk):
                yield chunk
    except GeneratorExit:  # the reader stopped: no error of the call
        raise
    except BaseException as error:
        watch.end(error)
        raise
    finally:
        watch.end()
