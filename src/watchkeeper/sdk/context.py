"""Sessions: who the calls inside belong to. Carried by OTel's context, so across tasks and awaits."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from opentelemetry import context as otel_context
from opentelemetry.sdk.trace import Span, SpanProcessor

from watchkeeper.model import semconv

__all__ = ["SessionProcessor", "session", "session_id"]

_SESSION = otel_context.create_key("watchkeeper-session")
_USER = otel_context.create_key("watchkeeper-user")
_TAGS = otel_context.create_key("watchkeeper-tags")


@contextlib.contextmanager
def session(id: str, *, user: str | None = None, tags: list[str] | tuple[str, ...] = ()) -> Iterator[None]:  # noqa: A002 - reads as wk.session(id=…)
    """Mark every span started inside with a session, and a user and tags where given; also a decorator.

    Args:
        id: the conversation.
        user: who it is with.
        tags: words to find it by.
    """
    inner = otel_context.set_value(_SESSION, str(id))
    if user is not None:
        inner = otel_context.set_value(_USER, str(user), inner)
    if tags:
        inner = otel_context.set_value(_TAGS, tuple(str(tag) for tag in tags), inner)
    token = otel_context.attach(inner)
    try:
        yield
    finally:
        otel_context.detach(token)


def session_id() -> str | None:
    """Return the session that is open here."""
    found = otel_context.get_value(_SESSION)
    return found if isinstance(found, str) else None


class SessionProcessor(SpanProcessor):
    """Copies the open session onto each span as it starts, whichever library starts it."""

    def on_start(self, span: Span, parent_context: otel_context.Context | None = None) -> None:
        """Read the context and write the attributes."""
        for key, name in ((_SESSION, semconv.SESSION_ID), (_USER, semconv.USER_ID), (_TAGS, semconv.WK_TAGS)):
            value = otel_context.get_value(key, parent_context)
            if value is not None:
                span.set_attribute(name, value)  # type: ignore[arg-type]  # set by `session`
