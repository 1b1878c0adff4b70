"""What a dialect may say about a span; every field may be left unsaid."""

from __future__ import annotations

from operator import attrgetter
from typing import Any, Protocol

import msgspec

from watchkeeper.model import Content, Cost, RawSpan, SpanKind, Usage

__all__ = ["Dialect", "Draft", "merge"]


_NO_USAGE = Usage()


class Draft(msgspec.Struct, kw_only=True):
    """One dialect's reading of a span; None (or empty) where it is silent."""

    kind: SpanKind | None = None
    operation: str | None = None
    provider: str | None = None
    request_model: str | None = None
    response_model: str | None = None
    response_id: str | None = None
    usage: Usage = _NO_USAGE
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
    failure: str | None = None
    """Why it failed, maybe empty, where OpenTelemetry's own status does not say that it did."""
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


_counts = attrgetter(*Usage.__struct_fields__)


def merge(first: Draft, second: Draft) -> Draft:
    """Fill in, field by field, what the first reading is silent of from the second, and return the first.

    Splicing two dialects' message lists would mix two numberings, so input and output travel together.
    """
    _fill(first, second)
    if second.usage is not _NO_USAGE:
        first.usage = _usage(first.usage, second.usage)
    if second.parameters:
        first.parameters = {**second.parameters, **first.parameters}
    told, also_told = _has_messages(first), _has_messages(second)
    if also_told and not told:
        first.input, first.output = second.input or first.input, second.output or first.output
    elif not (told and also_told):
        first.input, first.output = first.input or second.input, first.output or second.output
    return first


def _fill(first: Draft, second: Draft) -> None:
    """Fill in what can be taken field by field. One line a field: a loop over them takes three times as long."""
    a, b = first, second
    a.finish_reasons, a.tools, a.tags = a.finish_reasons or b.finish_reasons, a.tools or b.tools, a.tags or b.tags
    a.kind = b.kind if a.kind is None else a.kind
    a.operation = b.operation if a.operation is None else a.operation
    a.provider = b.provider if a.provider is None else a.provider
    a.request_model = b.request_model if a.request_model is None else a.request_model
    a.response_model = b.response_model if a.response_model is None else a.response_model
    a.response_id = b.response_id if a.response_id is None else a.response_id
    a.cost = b.cost if a.cost is None else a.cost
    a.time_to_first_token_ns = (
        b.time_to_first_token_ns if a.time_to_first_token_ns is None else a.time_to_first_token_ns
    )
    a.streaming = b.streaming if a.streaming is None else a.streaming
    a.tool_name = b.tool_name if a.tool_name is None else a.tool_name
    a.agent_name = b.agent_name if a.agent_name is None else a.agent_name
    a.prompt_name = b.prompt_name if a.prompt_name is None else a.prompt_name
    a.prompt_version = b.prompt_version if a.prompt_version is None else a.prompt_version
    a.session_id = b.session_id if a.session_id is None else a.session_id
    a.user_id = b.user_id if a.user_id is None else a.user_id
    a.error_type = b.error_type if a.error_type is None else a.error_type
    a.failure = b.failure if a.failure is None else a.failure
    a.environment = b.environment if a.environment is None else a.environment
    a.release = b.release if a.release is None else a.release
    a.took_ns = b.took_ns if a.took_ns is None else a.took_ns


def _has_messages(draft: Draft) -> bool:
    return bool((draft.input and draft.input.messages) or (draft.output and draft.output.messages))


def _usage(first: Usage, second: Usage) -> Usage:
    if second == _NO_USAGE:
        return first
    if first == _NO_USAGE:
        return second
    pairs = zip(Usage.__struct_fields__, _counts(first), _counts(second), strict=True)
    return Usage(**{name: other if mine is None else mine for name, mine, other in pairs})
