"""JSON shapes shared by the slices: 64-bit integers are strings, times RFC 3339 with nine digits."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from pydantic import BaseModel, BeforeValidator, ConfigDict

from watchkeeper.kit.clock import format_rfc3339
from watchkeeper.store.api import SpanRow, TraceRow

__all__ = ["Big", "DisplayOut", "Model", "MoneyOut", "Problem", "ProblemBody", "SpanOut", "Time", "TraceOut", "plain"]


def _big(value: object) -> object:
    return str(value) if isinstance(value, int) else value


def _time(value: object) -> object:
    return format_rfc3339(value) if isinstance(value, int) else value


Big = Annotated[str, BeforeValidator(_big)]
"""A 64-bit integer, as decimal text, since JSON numbers in a browser stop at 2^53."""

Time = Annotated[str, BeforeValidator(_time)]
"""A time, RFC 3339, UTC, nine fractional digits."""


def plain(value: object) -> Any:  # noqa: ANN401 - JSON is any shape
    """Turn msgspec structs into dicts and tuples into lists, ready for pydantic."""
    return msgspec.to_builtins(value)


class Model(BaseModel):
    """Base of every response shape."""

    model_config = ConfigDict(extra="forbid")


class ProblemBody(Model):
    """What went wrong."""

    code: str
    message: str
    hint: str | None = None


class Problem(Model):
    """The error envelope of every `/api/v1` answer that is not 2xx."""

    error: ProblemBody


class MoneyOut(Model):
    """An amount in the currency that is shown, in nano-units; `rate_day` is the exchange rate's, null for dollars."""

    nano: Big
    currency: str
    rate_day: str | None


class DisplayOut(Model):
    """The currency that amounts are shown in: `per_usd` units for one dollar, and the day and source of that rate.

    `missing` says why dollars are shown though another currency was asked for.
    """

    currency: str
    per_usd: str
    rate_day: str | None
    rate_source: str | None
    missing: str | None = None


class TraceOut(Model):
    """A trace in a list; see `store.api.TraceRow`."""

    trace_id: str
    name: str
    service: str
    environment: str | None
    session_id: str | None
    user_id: str | None
    tags: list[str]
    start_time: Time
    duration_ns: Big
    status: str
    spans: int
    calls: int
    errors: int
    unpriced: int
    models: list[str]
    input_tokens: int
    output_tokens: int
    cost_nano_usd: Big | None
    masked: int
    input: str
    output: str

    @classmethod
    def of(cls, row: TraceRow) -> TraceOut:
        """Build it from the store's row."""
        return cls.model_validate(plain(row))


class SpanOut(Model):
    """A span in a list or a tree; see `store.api.SpanRow`."""

    trace_id: str
    span_id: str
    parent_span_id: str | None
    service: str
    environment: str | None
    kind: str
    name: str
    start_time: Time
    duration_ns: Big
    status: str
    status_message: str | None
    error_type: str | None
    session_id: str | None
    user_id: str | None
    provider: str | None
    model: str | None
    input_tokens: int | None
    output_tokens: int | None
    cost_state: str | None
    cost_nano_usd: Big | None
    time_to_first_token_ns: Big | None
    tool_name: str | None
    agent_name: str | None
    duplicate_of: str | None
    input: str
    output: str

    @classmethod
    def of(cls, row: SpanRow) -> SpanOut:
        """Build it from the store's row."""
        return cls.model_validate(plain(row))
