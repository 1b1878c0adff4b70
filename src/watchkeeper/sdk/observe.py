"""`@observe`: a span around any function: plain, async, generator or async generator."""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, overload

from opentelemetry import trace
from opentelemetry.trace import Span, Status, StatusCode

from watchkeeper.model import KINDS, SpanKind, semconv
from watchkeeper.sdk.encode import LIMIT, error_text, snapshot, weigh
from watchkeeper.sdk.lazy import content_text, later
from watchkeeper.sdk.recorder import enter, leave
from watchkeeper.sdk.runtime import current, tracer
from watchkeeper.sdk.steps import watch_async_generator, watch_generator

__all__ = ["fail", "observe"]

_log = logging.getLogger("watchkeeper")
F = TypeVar("F", bound=Callable[..., Any])

_OPERATIONS = {"tool": "execute_tool", "agent": "invoke_agent", "workflow": "invoke_workflow", "retriever": "retrieval"}
_MOST_YIELDED = 1_000
_ROOM = LIMIT - 100
"""Bytes of a generator's items that are kept; what is said of the rest has room in the attribute."""
_DOCUMENTS = "gen_ai.retrieval.documents"
_CONTENT = {
    "tool": (semconv.TOOL_ARGUMENTS, semconv.TOOL_RESULT),
    "retriever": ("gen_ai.retrieval.query.text", semconv.WK_OUTPUT),
}
"""Where the conventions have a key for what goes in and comes out, it is used; else our own."""


@overload
def observe(function: F) -> F: ...
@overload
def observe(*, name: str | None = None, kind: SpanKind = "span", capture: bool | None = None) -> Callable[[F], F]: ...


def observe(
    function: Callable[..., Any] | None = None,
    *,
    name: str | None = None,
    kind: SpanKind = "span",
    capture: bool | None = None,
) -> Any:
    """Trace each call of a function, with its arguments, result and error.

    Args:
        function: the function, when used without parentheses.
        name: the span's name; the function's by default.
        kind: tool, agent, retriever, workflow, … ; written as OTel GenAI's operation too.
        capture: whether arguments and result are written; None is as `wk.init` says, True keeps them even where it says
            no (though not where WATCHKEEPER_CONTENT is "never").

    Raises:
        ValueError: the kind is not known (at decoration, never at a call).
    """
    if kind not in KINDS:
        raise ValueError(f"unknown kind {kind!r}; one of {', '.join(KINDS)}")

    def decorate(inner: Callable[..., Any]) -> Callable[..., Any]:
        known = getattr(inner, "__qualname__", None) or type(inner).__qualname__  # a partial has no name
        plan = _Plan(inner, name or known.rpartition(".")[2], kind, capture)
        if inspect.isasyncgenfunction(inner):
            return watch_async_generator(inner, functools.partial(_Run, plan))
        if inspect.isgeneratorfunction(inner):
            return watch_generator(inner, functools.partial(_Run, plan))
        return _async(inner, plan) if inspect.iscoroutinefunction(inner) else _plain(inner, plan)

    return decorate if function is None else decorate(function)


def fail(span: Span, error: BaseException) -> None:
    """Mark a span as failed by an exception."""
    told = error_text(error)
    try:
        span.record_exception(error, {"exception.message": told})
    except Exception:  # its `__str__` is the host's code
        span.add_event("exception", {"exception.type": type(error).__qualname__, "exception.message": told})
    span.set_attribute(semconv.ERROR_TYPE, type(error).__qualname__)
    span.set_status(Status(StatusCode.ERROR, told))


class _Plan:
    """What is the same for every call of one function."""

    def __init__(self, function: Callable[..., Any], name: str, kind: SpanKind, capture: bool | None) -> None:  # noqa: FBT001 - private
        self.name = name
        self.attributes: dict[str, Any] = {semconv.WK_KIND: kind}
        if kind in _OPERATIONS:
            self.attributes[semconv.OPERATION] = _OPERATIONS[kind]
        if kind in {"tool", "agent"}:
            self.attributes[semconv.TOOL_NAME if kind == "tool" else semconv.AGENT_NAME] = name
        self._capture = capture
        self._documents = kind == "retriever"
        self._input, self._output = _CONTENT.get(kind, (semconv.WK_INPUT, semconv.WK_OUTPUT))
        try:
            self._signature: inspect.Signature | None = inspect.signature(function)
        except (TypeError, ValueError):
            self._signature = None

    @contextmanager
    def span(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[Span]:
        """Open a span around one call."""
        opened = self.open(args, kwargs)
        try:
            token = enter(opened)
            try:
                yield opened
            finally:
                leave(token)
        except BaseException as error:
            fail(opened, error)
            raise
        finally:
            opened.end()

    def open(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Span:
        """Start a span with the arguments on it."""
        span = tracer().start_span(self.name, attributes=self.attributes)
        try:
            if self.captures(span):
                span.set_attribute(self._input, content_text(self._arguments(args, kwargs)))
        except Exception:  # the arguments are the host's, and so is what reads them
            _log.debug("arguments could not be written", exc_info=True)
        return span

    def result(self, span: Span, value: Any) -> None:
        """Write the result."""
        try:
            self._result(span, value)
        except Exception:
            _log.debug("a result could not be written", exc_info=True)

    def _result(self, span: Span, value: Any) -> None:
        if not self.captures(span) or value is None:
            return
        if self._documents and isinstance(value, list | tuple):
            documents = [{"content": one} if isinstance(one, str) else one for one in value]
            span.set_attribute(_DOCUMENTS, later(documents))
        else:
            span.set_attribute(self._output, content_text(value))

    def captures(self, span: Span) -> bool:
        """Say whether what goes in and comes out is written."""
        runtime = current()
        if self._capture is False or not span.is_recording():
            return False
        return runtime is None or runtime.content or (self._capture is True and not runtime.final)

    def _arguments(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if self._signature is None:
            return {"args": args, **kwargs}
        try:
            bound = dict(self._signature.bind_partial(*args, **kwargs).arguments)
        except TypeError:
            return {"args": args, **kwargs}
        bound.pop("self", None)
        bound.pop("cls", None)
        only = next(iter(bound.values())) if len(bound) == 1 else None
        return only if isinstance(only, str) else bound


def _plain(function: Callable[..., Any], plan: _Plan) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        with plan.span(args, kwargs) as span:
            value = function(*args, **kwargs)
            plan.result(span, value)
            return value

    return call


def _async(function: Callable[..., Any], plan: _Plan) -> Callable[..., Any]:
    @functools.wraps(function)
    async def call(*args: Any, **kwargs: Any) -> Any:
        with plan.span(args, kwargs) as span:
            value = await function(*args, **kwargs)
            plan.result(span, value)
            return value

    return call


class _Run:
    """One run of a generator: its span, and a copy of what it has given so far, joined when it is all text.

    What it gives is the consumer's: no more than `_ROOM` bytes are kept, and no object of the host's.
    """

    def __init__(self, plan: _Plan, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._plan = plan
        self._span = plan.open(args, kwargs)
        self._items: list[Any] = []
        self._room = _ROOM if plan.captures(self._span) else 0
        self._texts = True
        self._more = 0
        """Characters of text that are not kept."""
        self.inside = trace.set_span_in_context(self._span)

    def add(self, item: Any) -> None:
        """Keep an item, as far as there is room."""
        if type(item) is str:
            kept: Any = item[: self._room]
            self._more += len(item) - len(kept)
            self._room -= len(kept)
            if not kept and (item or len(self._items) >= _MOST_YIELDED):
                return
        elif self._room <= 0 or len(self._items) >= _MOST_YIELDED:
            return
        else:
            try:
                kept = snapshot(item)
                self._room -= weigh(kept)
            except Exception:
                _log.debug("an item could not be kept", exc_info=True)
                return
            self._texts = False
        self._items.append(kept)

    def fail(self, error: BaseException) -> None:
        """Mark the span."""
        fail(self._span, error)

    def end(self) -> None:
        """Write the result and end the span."""
        if self._texts:
            more = f"… [{self._more} more characters]" if self._more else ""
            self._plan.result(self._span, "".join(self._items) + more)
        else:
            self._plan.result(self._span, self._items)
        self._span.end()
