"""What the mapping endpoint takes and answers."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from watchkeeper.server.schemas import Big, DisplayOut, Model, Time

__all__ = ["RemapIn", "RemapOut"]

Text = Annotated[str, Field(min_length=1, max_length=500)]
When = Annotated[str, Field(max_length=40, description="RFC 3339, e.g. 2026-11-24T10:00:00Z")]


class RemapIn(Model):
    """Which spans to map anew, a step at a time: send `next_cursor` of the answer as `cursor` until it is null.

    Those that an older mapper read, unless `all`; `model` is as it is stored now. `dry_run` writes nothing.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"since": "2026-11-01T00:00:00Z"}]})

    since: When | None = None
    until: When | None = None
    service: Text | None = None
    model: Text | None = None
    all: bool = False
    dry_run: bool = False
    cursor: Annotated[str | None, Field(max_length=1_000)] = None
    limit: Annotated[int, Field(ge=1, le=1_000)] = 250


class RemapOut(Model):
    """What one step found. `before_nano_usd` and `after_nano_usd` are sums over all `spans` of the step.

    `changed` are read otherwise by the mapper of today (`mapper`); `fields` counts them by what changed; `missed` were
    stored anew, or deleted, meanwhile. `total` counts the spans there are, in the first step only.
    """

    spans: int
    changed: int
    missed: int
    fields: dict[str, int]
    before_nano_usd: Big
    after_nano_usd: Big
    mapper: int
    reached: Time | None
    total: int | None
    next_cursor: str | None
    display: DisplayOut
