"""What the overview endpoints answer."""

from __future__ import annotations

from watchkeeper.server.schemas import Big, Model, MoneyOut, Time

__all__ = ["FacetsOut", "OverviewOut"]


class ModelRowOut(Model):
    """Model calls of one provider and model."""

    provider: str | None
    model: str | None
    requests: int
    errors: int
    unpriced: int
    input_tokens: int
    output_tokens: int
    cost_nano_usd: Big | None
    p50_ns: Big
    p95_ns: Big
    p99_ns: Big


class BucketOut(Model):
    """Model calls in [start, start + step)."""

    start: Time
    requests: int
    errors: int
    input_tokens: int
    output_tokens: int
    cost_nano_usd: Big
    p50_ns: Big | None
    p95_ns: Big | None


class HistogramOut(Model):
    """Counts by latency; the last count is above every bound."""

    bounds: list[Big]
    counts: list[int]


class OverviewOut(Model):
    """Figures over the model calls of a window.

    `idle_nano_usd` is what nobody used of on-premises machines, beside the calls' cost and not in it: told to who runs
    the server, over all services; null where there are none. `..._shown` are the same in the currency
    that is shown, by the rate of the window's last day.
    """

    since: Time
    until: Time
    traces: int
    requests: int
    errors: int
    unpriced: int
    input_tokens: int
    output_tokens: int
    cost_nano_usd: Big | None
    idle_nano_usd: Big | None = None
    cost_shown: MoneyOut | None
    idle_shown: MoneyOut | None
    p50_ns: Big | None
    p95_ns: Big | None
    p99_ns: Big | None
    latency: HistogramOut
    models: list[ModelRowOut]
    buckets: list[BucketOut]
    step_ns: Big


class FacetsOut(Model):
    """What there is to filter by."""

    services: list[str]
    environments: list[str]
    models: list[str]
    users: list[str]
