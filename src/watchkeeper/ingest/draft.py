"""What a dialect may say about a span; every field may be left unsaid."""

from __future__ import annotations

from operator import attrgetter
from typing import Any, Protocol

import msgspec

from watchkeeper.model import Content, Cost, RawSpan, SpanKind, Usage

__all__ = ["Dialect", "Draft", "merge"]


class Draft(msgspec.Struct, kw_only=True):
    """One dialect's reading of a span; None (or empty) where it is silent."""

    kind: SpanKind | None = None
    operation: str | None = None
    provider: str | None = None
    request_model: str | None = None
    response_model: str | None = None
    response_id: str | None = None
    usage: Usage = Usage()
    cost: Cost | None = None
    time_to_first_token_ns: int | None = None
    streaming: bool | None = None
    finish_reasons: tuple[str, ...] = ()
    parameters: dict[str, Any] = {}
    input: Content | None = None
    output: Content | None = None
    tools: tuple[Any, ...] = ()
    tool_name: str | None = None
    agent_name: str | None = None
    prompt_name: str | None = None
    prompt_version: str | None = None
    session_id: str | None = None
    user_id: str | None = None
    tags: tuple[str, ...] = ()
    error_type: str | None = None
    environment: str | None = None
    release: str | None = None
    took_ns: int | None = None
    """How long it took, where the span is a record written at the end of what it tells of."""


class Dialect(Protocol):
    """One way of writing a model call into a span.

    `heads` are the first words (up to the dot) of the keys that can mark it: attributes of the span, names of
    its events and of the log records joined to it. A span with none of them is never offered to the dialect.
    """

    name: str
    heads: frozenset[str]

    def speaks(self, raw: RawSpan) -> bool:
        """Say, cheaply and exactly, whether a span with one of the heads carries this dialect."""
        ...

    def read(self, raw: RawSpan) -> Draft:
        """Read what it says."""
        ...


_ALONE = frozenset({"usage", "parameters", "input", "output"})
_FIELDS = tuple(name for name in Draft.__struct_fields__ if name not in _ALONE)
_fields = attrgetter(*_FIELDS)
_counts = attrgetter(*Usage.__struct_fields__)
_NO_USAGE = Usage()


def merge(first: Draft, second: Draft) -> Draft:
    """Fill in, field by field, what the first reading is silent of from the second, and return the first.

    Splicing two dialects' message lists would mix two numberings, so input and output travel together.
    """
    for name, mine, other in zip(_FIELDS, _fields(first), _fields(second), strict=True):
        if other is not None and (mine is None or mine == ()):
            setattr(first, name, other)
    first.usage = _usage(first.usage, second.usage)
    if second.parameters:
        first.parameters = {**second.parameters, **first.parameters}
    told, also_told = _has_messages(first), _has_messages(second)
    if also_told and not told:
        first.input, first.output = second.input or first.input, second.output or first.output
    elif not (told and also_told):
        first.input, first.output = first.input or second.input, first.output or second.output
    return first


def _has_messages(draft: Draft) -> bool:
    return bool((draft.input and draft.input.messages) or (draft.output and draft.output.messages))


def _usage(first: Usage, second: Usage) -> Usage:
    if second == _NO_USAGE:
        return first
    if first == _NO_USAGE:
        return second
    pairs = zip(Usage.__struct_fields__, _counts(first), _counts(second), strict=True)
    return Usage(**{name: other if mine is None else mine for name, mine, other in pairs})
