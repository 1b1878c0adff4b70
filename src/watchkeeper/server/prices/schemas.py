"""What the price endpoints take and answer."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from watchkeeper.server.schemas import Big, DisplayOut, Model, Time

__all__ = ["BackfillIn", "BackfillOut", "CheckOut", "CheckedOut", "HourOut", "HoursOut", "PricedOut"]

Text = Annotated[str, Field(min_length=1, max_length=500)]
When = Annotated[str, Field(max_length=40, description="RFC 3339, e.g. 2026-11-24T10:00:00Z")]


class BackfillIn(Model):
    """Which calls to price anew, a step at a time: send `next_cursor` of the answer as `cursor` until it is null.

    `provided` prices those too whose client said what they cost; `dry_run` writes nothing.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"since": "2026-11-01T00:00:00Z"}]})

    since: When | None = None
    until: When | None = None
    service: Text | None = None
    model: Text | None = None
    provided: bool = False
    dry_run: bool = False
    cursor: Annotated[str | None, Field(max_length=1_000)] = None
    limit: Annotated[int, Field(ge=1, le=5_000)] = 2_000


class BackfillOut(Model):
    """What one step found. `before_nano_usd` and `after_nano_usd` are sums over all `calls` of the step.

    `changed` were priced anew; `provided` were left as their client said; `kept` were left since the tables they were
    priced by know them no longer; `missed` were stored anew meanwhile, and have today's price from that.
    `total` counts the calls there are, in the first step only.
    """

    calls: int
    changed: int
    provided: int
    kept: int
    missed: int
    before_nano_usd: Big
    after_nano_usd: Big
    reached: Time | None
    total: int | None
    next_cursor: str | None
    display: DisplayOut


class BucketPriceOut(Model):
    """A million tokens of one kind; `differs` is by how many percent the second table's base price does."""

    bucket: str
    price: str
    tiers: list[tuple[int, str]]
    second: str | None
    differs: str | None


class SurchargeOut(Model):
    """What is charged on top for a region."""

    name: str
    percent: str
    source: str


class PricedOut(Model):
    """How a model's calls are priced at a time: `agreed`, `single`, `disputed`, `override`, `on_premises`, `unpriced`."""

    provider: str | None
    model: str
    at: Time
    verdict: str
    currency: str
    source: str | None
    version: str | None
    reason: str | None
    second: str | None
    prices: list[BucketPriceOut]
    uplifts: list[SurchargeOut]


class AgesOut(Model):
    """How old what prices rest on is; `error` says why your price file as it is now is not in force."""

    table: str
    second_table: str
    second_table_taken: str
    second_table_days: int
    rates_last: str
    rates_days: int
    overrides: str | None
    error: str | None


class CheckedOut(Model):
    """A model that was called: how it is priced today, how often it was called and how many calls have no price."""

    calls: int
    unpriced: int
    priced: PricedOut


class CheckOut(Model):
    """The models of a window, most called first, and the age of the tables."""

    since: Time
    until: Time
    ages: AgesOut
    models: list[CheckedOut]


class HourOut(Model):
    """An hour of a pool of on-premises replicas, in nano-units of its currency and in nano-USD.

    cost = own + others + idle, exactly, in both. `own` is the project's share; the rest is for who runs the server.
    `unpriced` calls have no share, or not yet: until then theirs is within `idle`.
    """

    start: Time
    pool: str
    currency: str
    own_nano: Big
    own_nano_usd: Big | None
    replicas: int | None = None
    calls: int | None = None
    unpriced: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_nano: Big | None = None
    others_nano: Big | None = None
    idle_nano: Big | None = None
    cost_nano_usd: Big | None = None
    others_nano_usd: Big | None = None
    idle_nano_usd: Big | None = None


class HoursOut(Model):
    """Hours that are over, oldest first. `whole` says that others' part and idle are told, too."""

    since: Time
    until: Time
    whole: bool
    own_nano_usd: Big | None
    idle_nano_usd: Big | None
    display: DisplayOut
    hours: list[HourOut]
