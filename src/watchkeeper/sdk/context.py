"""Sessions: who the calls inside belong to. Carried by OTel's context, so across tasks and awaits."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from contextvars import ContextVar, Token
from typing import Any, Self, TypeVar, cast

from opentelemetry import context as otel_context
from opentelemetry.sdk.trace import Span, SpanProcessor

from watchkeeper.model import semconv
from watchkeeper.sdk.steps import watch_async_generator, watch_generator

__all__ = ["SessionProcessor", "session", "session_facts", "session_id"]

F = TypeVar("F", bound=Callable[..., Any])

_FACTS = otel_context.create_key("watchkeeper-session")
_open: ContextVar[tuple[tuple[session, Token[otel_context.Context]], ...]] = ContextVar("watchkeeper-open", default=())
"""What closes the sessions that are open here: one may be open in several threads and tasks at once."""


class session:  # noqa: N801 - reads as a verb: `with wk.session(…)`, `@wk.session(…)`
    """Mark every span started inside with a session, and a user and tags where given.

    A context manager, and a decorator of any function: plain, async, generator or async generator.

    Args:
        id: the conversation.
        user: who it is with.
        tags: words to find it by.
    """

    def __init__(self, id: str, *, user: str | None = None, tags: Sequence[str] = ()) -> None:  # noqa: A002 - reads as wk.session(id=…)
        self._facts: dict[str, Any] = {semconv.SESSION_ID: str(id)}
        if user is not None:
            self._facts[semconv.USER_ID] = str(user)
        if tags:
            self._facts[semconv.WK_TAGS] = tuple(str(tag) for tag in ([tags] if isinstance(tags, str) else tags))

    def __enter__(self) -> Self:
        """Open it."""
        _open.set((*_open.get(), (self, otel_context.attach(self._context()))))
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        held = _open.get()
        for at in range(len(held) - 1, -1, -1):  # none of ours: it was opened in another context, which keeps it
            if held[at][0] is self:
                _open.set(held[:at] + held[at + 1 :])
                otel_context.detach(held[at][1])
                return

    def __call__(self, function: F) -> F:
        """Decorate a function: each call is inside."""
        if inspect.isasyncgenfunction(function):
            return cast("F", watch_async_generator(function, self._begin))
        if inspect.isgeneratorfunction(function):
            return cast("F", watch_generator(function, self._begin))
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def async_call(*args: Any, **kwargs: Any) -> Any:
                with self:
                    return await function(*args, **kwargs)

            return cast("F", async_call)

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            with self:
                return function(*args, **kwargs)

        return cast("F", call)

    def _begin(self, _: tuple[Any, ...], __: dict[str, Any]) -> _Run:
        return _Run(self._context())

    def _context(self) -> otel_context.Context:
        outer = otel_context.get_current()
        return otel_context.set_value(_FACTS, {**session_facts(outer), **self._facts}, outer)


class _Run:
    """A generator's run inside a session: nothing but its context."""

    def __init__(self, inside: otel_context.Context) -> None:
        self.inside = inside

    def add(self, item: Any) -> None:
        """Let it pass."""

    def fail(self, error: BaseException) -> None:
        """Let it pass."""

    def end(self) -> None:
        """Let it pass."""


def session_facts(context: otel_context.Context) -> dict[str, Any]:
    """Return the attributes that spans started in a context get from its sessions."""
    facts: Any = context.get(_FACTS)
    return facts or {}


def session_id() -> str | None:
    """Return the session that is open here."""
    return session_facts(otel_context.get_current()).get(semconv.SESSION_ID)


class SessionProcessor(SpanProcessor):
    """Copies the open session onto each span as it starts, whichever library starts it."""

    def on_start(self, span: Span, parent_context: otel_context.Context | None = None) -> None:
        """Read the context and write the attributes."""
        facts = session_facts(otel_context.get_current() if parent_context is None else parent_context)
        if facts:
            span.set_attributes(facts)
