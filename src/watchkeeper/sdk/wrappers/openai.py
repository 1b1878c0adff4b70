"""The drivers: `wrap(OpenAI())` and `wrap(AsyncOpenAI())`. The client keeps its type; its methods are traced in place."""

from __future__ import annotations

import functools
import logging
import time
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, NamedTuple

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind

from watchkeeper.model import semconv
from watchkeeper.sdk.observe import fail
from watchkeeper.sdk.runtime import current, tracer
from watchkeeper.sdk.wrappers.openai_core import (
    ChatFold,
    Fold,
    ResponsesFold,
    SpanFields,
    chat_result,
    embedding_result,
    request_fields,
    responses_result,
)

__all__ = ["wrap_openai"]

_log = logging.getLogger("watchkeeper")
_MARK = "_watchkeeper_traced"
_RAW = "X-Stainless-Raw-Response"


class _Operation(NamedTuple):
    name: str
    result: Callable[..., SpanFields]
    fold: Callable[[], Fold] | None


_CHAT = _Operation("chat", chat_result, ChatFold)
_RESPONSES = _Operation("responses", responses_result, ResponsesFold)
_EMBEDDINGS = _Operation("embeddings", embedding_result, None)


def wrap_openai(client: Any, *, is_async: bool) -> None:
    """Trace the client's chat, responses and embeddings, and those of its copies; twice is once."""
    if getattr(client, _MARK, False):
        return
    setattr(client, _MARK, True)
    url = getattr(client, "base_url", None)
    host, port = getattr(url, "host", None), getattr(url, "port", None)
    trace_method = _async_method if is_async else _sync_method
    for owner, names, operation in (
        (client.chat.completions, ("create", "parse"), _CHAT),
        (client.responses, ("create", "parse"), _RESPONSES),
        (client.embeddings, ("create",), _EMBEDDINGS),
    ):
        for name in names:
            original = getattr(owner, name, None)
            if original is not None:
                setattr(owner, name, trace_method(original, _Call(operation, host, port)))
    for name in ("copy", "with_options"):
        setattr(client, name, _copying(getattr(client, name), is_async=is_async))


def _copying(original: Callable[..., Any], *, is_async: bool) -> Callable[..., Any]:
    @functools.wraps(original)
    def copy(*args: Any, **kwargs: Any) -> Any:
        made = original(*args, **kwargs)
        wrap_openai(made, is_async=is_async)
        return made

    return copy


class _Call:
    """One traced method: what both drivers do before, after, on error and while a stream runs."""

    def __init__(self, operation: _Operation, host: str | None, port: int | None) -> None:
        self._operation = operation
        self._host = host
        self._port = port

    def start(self, kwargs: dict[str, Any]) -> tuple[Span, bool]:
        """Start the span; says too whether a usage chunk was asked for on the caller's behalf."""
        name = f"{'embeddings' if self._operation is _EMBEDDINGS else 'chat'} {kwargs.get('model', '')}".strip()
        try:
            fields = request_fields(self._operation.name, kwargs, self._host, self._port, content=_content())
        except Exception:
            _log.debug("a request could not be described", exc_info=True)
            fields = {}
        span = tracer().start_span(name, kind=SpanKind.CLIENT, attributes=fields)
        options = kwargs.get("stream_options")
        asks = self._operation is _CHAT and kwargs.get("stream") is True and span.is_recording()
        if asks and (not isinstance(options, dict) or "include_usage" not in options):
            kwargs["stream_options"] = {**(options if isinstance(options, dict) else {}), "include_usage": True}
            return span, True
        return span, False

    def finish(self, span: Span, answer: Any) -> None:
        """Describe an answer that came in one piece, and end the span."""
        self._describe(span, lambda: self._operation.result(answer, content=_content()))
        span.end()

    def is_stream(self, kwargs: dict[str, Any], answer: Any) -> bool:
        """Say whether the answer is one of the client's streams, whose chunks we may watch."""
        return kwargs.get("stream") is True and hasattr(answer, "_iterator") and self._operation.fold is not None

    def watch(self, span: Span, begun: float, *, hide_usage: bool) -> _Watch:
        """Start watching a stream whose request was made at `begun` (`perf_counter`)."""
        fold = self._operation.fold
        return _Watch(self, span, fold() if fold is not None else ChatFold(), begun, hide_usage=hide_usage)

    def _describe(self, span: Span, read: Callable[[], SpanFields]) -> None:
        try:
            span.set_attributes(read())
        except Exception:
            _log.debug("an answer could not be described", exc_info=True)


class _Watch:
    """What happens at each chunk and at the end, however the stream ends."""

    def __init__(self, call: _Call, span: Span, fold: Fold, begun: float, *, hide_usage: bool) -> None:
        self._call = call
        self._span = span
        self._fold = fold
        self._hide_usage = hide_usage
        self._begun = begun
        self._first = True
        self._ended = False

    def passes(self, chunk: Any) -> bool:
        """Take a chunk; False for the usage chunk that the caller did not ask for."""
        try:
            if self._fold.add(chunk) and self._first:
                self._first = False
                self._span.set_attribute(semconv.TIME_TO_FIRST_CHUNK, time.perf_counter() - self._begun)
        except Exception:
            _log.debug("a chunk could not be read", exc_info=True)
        return not (
            self._hide_usage and not getattr(chunk, "choices", True) and getattr(chunk, "usage", None) is not None
        )

    def end(self, error: BaseException | None = None) -> None:
        """End the span once."""
        if self._ended:
            return
        self._ended = True
        self._call._describe(self._span, lambda: self._fold.fields(content=_content()))  # noqa: SLF001 - two halves of one thing
        if error is not None:
            fail(self._span, error)
        self._span.end()


def _content() -> bool:
    runtime = current()
    return runtime is None or runtime.content


def _raw(kwargs: dict[str, Any]) -> bool:
    headers = kwargs.get("extra_headers")
    return isinstance(headers, dict) and _RAW in headers


def _sync_method(original: Callable[..., Any], call: _Call) -> Callable[..., Any]:
    @functools.wraps(original)
    def traced(*args: Any, **kwargs: Any) -> Any:
        if _raw(kwargs):
            return original(*args, **kwargs)
        begun = time.perf_counter()
        span, hide = call.start(kwargs)
        try:
            with trace.use_span(span, end_on_exit=False, record_exception=False, set_status_on_exception=False):
                answer = original(*args, **kwargs)
        except BaseException as error:
            fail(span, error)
            span.end()
            raise
        if call.is_stream(kwargs, answer):
            _watch_stream(answer, call.watch(span, begun, hide_usage=hide))
        else:
            call.finish(span, answer)
        return answer

    return traced


def _watch_stream(stream: Any, watch: _Watch) -> None:
    """Watch in place: the stream keeps its type, and closing it ends the span, read or not."""
    close = stream.close

    def closing() -> None:
        try:
            close()
        finally:
            watch.end()

    stream._iterator = _chunks(stream._iterator, watch)  # noqa: SLF001 - where the client keeps what it iterates
    stream.close = closing
    weakref.finalize(stream, watch.end)


def _chunks(inner: Iterator[Any], watch: _Watch) -> Iterator[Any]:
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


def _async_method(original: Callable[..., Any], call: _Call) -> Callable[..., Any]:
    @functools.wraps(original)
    async def traced(*args: Any, **kwargs: Any) -> Any:
        if _raw(kwargs):
            return await original(*args, **kwargs)
        begun = time.perf_counter()
        span, hide = call.start(kwargs)
        try:
            with trace.use_span(span, end_on_exit=False, record_exception=False, set_status_on_exception=False):
                answer = await original(*args, **kwargs)
        except BaseException as error:
            fail(span, error)
            span.end()
            raise
        if call.is_stream(kwargs, answer):
            _watch_async_stream(answer, call.watch(span, begun, hide_usage=hide))
        else:
            call.finish(span, answer)
        return answer

    return traced


def _watch_async_stream(stream: Any, watch: _Watch) -> None:
    close = stream.close

    async def closing() -> None:
        try:
            await close()
        finally:
            watch.end()

    stream._iterator = _async_chunks(stream._iterator, watch)  # noqa: SLF001 - as above
    stream.close = closing
    weakref.finalize(stream, watch.end)


async def _async_chunks(inner: AsyncIterator[Any], watch: _Watch) -> AsyncIterator[Any]:
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
