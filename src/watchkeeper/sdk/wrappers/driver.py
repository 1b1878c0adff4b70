"""What every traced call does, whoever's client makes it: a span before, its fields after, a stream watched.

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

__all__ = [
    "Call",
    "Operation",
    "Run",
    "Watch",
    "captures",
    "drive",
    "drive_async",
    "on_close",
    "server_fields",
    "traced",
]

_log = logging.getLogger("watchkeeper")
_MODEL_MARK = "__pydantic_fields_set__"
"""What a model has and a stream has not: a model is slow to say that it lacks an attribute."""


class Operation(NamedTuple):
    """What one kind of call means, in OTel's terms."""

    name: str
    """`gen_ai.operation.name`, and the first word of the span's name."""
    request: Callable[..., SpanFields]
    """Takes the call's arguments and `content=`; describes the request."""
    result: Callable[..., SpanFields]
    """Takes the answer and `content=`; describes it."""
    fold: Callable[[], Fold] | None = None
    """Makes what a stream's chunks are folded into; None where the call never streams."""
    asks: Callable[[dict[str, Any]], bool] | None = None
    """May add to the arguments what our reading needs; True when it did, and `hides` then applies."""
    hides: Callable[[Any], bool] | None = None
    """Says of a chunk that the caller would not have had it but for `asks`."""


class Call:
    """One method of a client that is traced.

    Args:
        operation: what it means.
        server: who answers, and where.
        iterator: the name under which the client's stream keeps what it iterates.
    """

    def __init__(self, operation: Operation, server: SpanFields, iterator: str) -> None:
        self.operation = operation
        self.iterator = iterator
        self._fixed = {semconv.OPERATION: operation.name, **server}

    def begin(self, given: dict[str, Any], *, may_ask: bool = True) -> Run:
        """Start the span of a call with these arguments, which `asks` may add to."""
        begun = time.perf_counter()
        fields, name, model = dict(self._fixed), self.operation.name, given.get("model")
        if isinstance(model, str):
            fields[semconv.REQUEST_MODEL] = model
            name = f"{name} {model}"
        try:
            fields.update(self.operation.request(given, content=captures()))
        except Exception:
            _log.debug("a request could not be described", exc_info=True)
        span = tracer().start_span(name, kind=SpanKind.CLIENT, attributes=fields)
        asks = self.operation.asks
        asked = may_ask and asks is not None and span.is_recording() and asks(given)
        return Run(self, span, begun, asked=asked)


class Run:
    """One call under way."""

    __slots__ = ("asked", "begun", "call", "span")

    def __init__(self, call: Call, span: Span, begun: float, *, asked: bool) -> None:
        self.call = call
        self.span = span
        self.begun = begun
        self.asked = asked

    def finish(self, answer: Any) -> None:
        """Watch an answer that is a stream; describe any other, and end the span."""
        if not self.watch(answer):
            self.describe(answer)

    def describe(self, answer: Any) -> None:
        """Describe an answer that came in one piece, and end the span."""
        _describe(self.span, lambda: self.call.operation.result(answer, content=captures()))
        self.span.end()

    def watch(self, stream: Any) -> bool:
        """Watch an answer that is a stream of chunks; False where it is none."""
        fold, name = self.call.operation.fold, self.call.iterator
        if fold is None or hasattr(type(stream), _MODEL_MARK) or not hasattr(stream, name):
            return False
        watch = Watch(self.span, fold(), self.begun, self.call.operation.hides if self.asked else None)
        watch.attach(stream, name)
        return True

    def fail(self, error: BaseException) -> None:
        """End the span with an error."""
        fail(self.span, error)
        self.span.end()


class Watch:
    """What happens at each chunk and at the end, however the stream ends."""

    def __init__(self, span: Span, fold: Fold, begun: float, hides: Callable[[Any], bool] | None = None) -> None:
        self._span = span
        self._fold = fold
        self._hides = hides
        self._begun = begun
        self._first = True
        self._ended = False
        self.reading = False
        """Whether the next chunk is being waited for: what closes the response then is the stream itself."""

    def attach(self, stream: Any, name: str) -> None:
        """Watch in place: the stream keeps its type, and closing or dropping it ends the span, read or not."""
        inner = getattr(stream, name)
        chunks = _async_chunks(inner, self) if hasattr(inner, "__anext__") else _chunks(inner, self)
        setattr(stream, name, chunks)
        weakref.finalize(stream, self.end)
        on_close(getattr(stream, "response", None), self.closed)

    def passes(self, chunk: Any) -> bool:
        """Take a chunk; False for one that the caller did not ask for."""
        self.reading = False
        try:
            if self._fold.add(chunk) and self._first:
                self._first = False
                self._span.set_attribute(semconv.TIME_TO_FIRST_CHUNK, time.perf_counter() - self._begun)
            return self._hides is None or not self._hides(chunk)
        except Exception:
            _log.debug("a chunk could not be read", exc_info=True)
            return True

    def closed(self) -> None:
        """Take note that the response was closed: the reader left, unless the stream came to its own end."""
        if not self.reading:
            self.end()

    def end(self, error: BaseException | None = None) -> None:
        """End the span once."""
        if self._ended:
            return
        self._ended = True
        _describe(self._span, lambda: self._fold.fields(content=captures()))
        if error is not None:
            fail(self._span, error)
        self._span.end()


def traced(original: Callable[..., Any], call: Call, *, is_async: bool) -> Callable[..., Any]:
    """Return the method that traces each call of `original`; what it returns and raises is what the caller gets."""
    if is_async:

        @functools.wraps(original)
        async def async_method(*args: Any, **kwargs: Any) -> Any:
            return await drive_async(call.begin(kwargs), original, args, kwargs)

        return async_method

    @functools.wraps(original)
    def method(*args: Any, **kwargs: Any) -> Any:
        return drive(call.begin(kwargs), original, args, kwargs)

    return method


def drive(run: Run, original: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Make a call whose span has begun."""
    token = otel_context.attach(traced_context(run.span))
    try:
        answer = original(*args, **kwargs)
    except BaseException as error:
        run.fail(error)
        raise
    finally:
        otel_context.detach(token)
    _finish(run, answer)
    return answer


async def drive_async(run: Run, original: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Make an async call whose span has begun."""
    token = otel_context.attach(traced_context(run.span))
    try:
        answer = await original(*args, **kwargs)
    except BaseException as error:
        run.fail(error)
        raise
    finally:
        otel_context.detach(token)
    _finish(run, answer)
    return answer


def captures() -> bool:
    """Say whether prompts and answers are written."""
    runtime = current()
    return runtime is None or runtime.content


def server_fields(provider: str, host: str | None, port: int | None) -> SpanFields:
    """Say who answers, and where."""
    found: SpanFields = {semconv.PROVIDER: provider}
    if host:
        found[semconv.SERVER_ADDRESS] = host
    if port:
        found[semconv.SERVER_PORT] = port
    return found


def on_close(response: Any, then: Callable[[], None]) -> None:
    """Call `then` after an HTTP response is closed, by whichever of its methods, and as often as it is.

    Its body is hooked, not the response: a method of its own in it would be a cycle, and a stream that is
    dropped would hold its connection until the garbage collector came by.
    """
    body = getattr(response, "stream", None)
    for name, wrapped in (("close", _then), ("aclose", _then_async)):
        close = getattr(body, name, None)
        if close is not None:
            setattr(body, name, wrapped(close, then))


def _then(close: Callable[[], Any], then: Callable[[], None]) -> Callable[[], Any]:
    def closing() -> Any:
        try:
            return close()
        finally:
            then()

    return closing


def _then_async(close: Callable[[], Any], then: Callable[[], None]) -> Callable[[], Any]:
    async def closing() -> Any:
        try:
            return await close()
        finally:
            then()

    return closing


def _finish(run: Run, answer: Any) -> None:
    try:
        run.finish(answer)
    except Exception:
        _log.debug("an answer could not be watched", exc_info=True)


def _describe(span: Span, read: Callable[[], SpanFields]) -> None:
    try:
        span.set_attributes(read())
    except Exception:
        _log.debug("an answer could not be described", exc_info=True)


def _chunks(inner: Iterator[Any], watch: Watch) -> Iterator[Any]:
    try:
        watch.reading = True
        for chunk in inner:
            if watch.passes(chunk):
                yield chunk
            watch.reading = True
    except GeneratorExit:  # the reader stopped: no error of the call
        raise
    except BaseException as error:
        watch.end(error)
        raise
    finally:
        watch.end()


async def _async_chunks(inner: AsyncIterator[Any], watch: Watch) -> AsyncIterator[Any]:
    try:
        watch.reading = True
        async for chunk in inner:
            if watch.passes(chunk):
                yield chunk
            watch.reading = True
    except GeneratorExit:  # the reader stopped: no error of the call
        raise
    except BaseException as error:
        watch.end(error)
        raise
    finally:
        watch.end()
