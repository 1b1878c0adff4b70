"""Models by the hour: shares and idle add up to what the hour costs, to the last nano-unit."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.kit.errors import ConfigError
from watchkeeper.model import RawSpan, Span, Usage
from watchkeeper.pricing import Pricer
from watchkeeper.pricing.exchange import Dollars
from watchkeeper.pricing.onprem import HOUR, Pool, Pools, Run, cost_of_share, share_hour

AT = int(datetime(2026, 11, 20, 10, tzinfo=UTC).timestamp()) * 10**9
MINUTE = HOUR // 60


def pool(**more: object) -> Pool:
    """Two replicas at 3.20 an hour."""
    given = {
        "name": "gpu", "provider": "*", "models": ("house-*",), "host": None, "replicas": 2,
        "hourly_nano": 3_200_000_000, "currency": "EUR", "capacity": None, "output_weight": 4_000, "cached_weight": 100,
        "since": 0, "until": 2**63 - 1, "source": "lease 7",
    }  # fmt: skip
    return Pool(**{**given, **more})  # type: ignore[arg-type]  # fields of a pool


def run(minute: float, minutes: float, weight: int = 1_000) -> Run:
    """A call that begins at a minute of the hour."""
    return Run(AT + round(minute * MINUTE), round(minutes * MINUTE), weight)


@pytest.mark.parametrize(
    "text",
    [
        "[[on_prem]]\nmodels = ['x']\nhourly = '1'",
        "[[on_prem]]\nmodels = ['x']\nfrom = 2026-01-01",
        "[[on_prem]]\nfrom = 2026-01-01\nhourly = '1'",
        "[[on_prem]]\nmodels = ['x']\nfrom = 2026-01-01\nhourly = '-1'",
        "[[on_prem]]\nmodels = ['x']\nfrom = 2026-01-01\nhourly = '1e9'",
        "[[on_prem]]\nmodels = 'x'\nfrom = 2026-01-01\nhourly = '1'",
        "[[on_prem]]\nmodels = ['x']\nfrom = 2026-01-01\nhourly = '1'\nreplicas = 0",
        "[[on_prem]]\nmodels = ['x']\nfrom = 2026-01-01\nhourly = '1'\nreplicas = true",
        "[[on_prem]]\nmodels = ['x']\nfrom = 2026-01-01\nhourly = '1'\ncapacity = 0",
        "[[on_prem]]\nmodels = ['x']\nfrom = 2026-01-01\nhourly = '1'\noutput_weight = '0.0001'",
        "[[on_prem]]\nmodels = ['x']\nfrom = 2026-01-01\nhourly = '1'\ncurrency = 'EURO'",
        "[[on_prem]]\nmodels = ['x']\nfrom = 2026-01-01\nhourly = '1'\nreplica = 1",
    ],
)
def test_a_wrong_pool_is_refused(tmp_path: Path, text: str) -> None:
    """A pool without a day, a price or a model, or with a count, weight, currency or key we cannot take, is refused."""
    path = tmp_path / "prices.toml"
    path.write_text(text)

    with pytest.raises(ConfigError, match=r"prices\.toml"):
        Pricer(path)


def test_an_hour_without_calls_is_idle() -> None:
    """Where nobody calls, the whole hour is idle, and where only calls without tokens ran, too."""
    assert share_hour(pool(), AT, []).idle_nano == 6_400_000_000
    assert share_hour(pool(capacity=1_000), AT, []).idle_nano == 6_400_000_000
    assert share_hour(pool(), AT, [run(0, 30, 0)]).shares == (0,)
    assert share_hour(pool(), AT, [run(0, 30, 0)]).idle_nano == 6_400_000_000


def test_without_a_capacity_busy_time_is_used() -> None:
    """One call of half an hour keeps one of two replicas busy for half the hour: a quarter of the cost is used."""
    found = share_hour(pool(), AT, [run(10, 30)])

    assert (found.used_nano, found.shares, found.idle_nano) == (1_600_000_000, (1_600_000_000,), 4_800_000_000)


def test_more_calls_than_replicas_keep_no_more_than_all_busy() -> None:
    """Five calls at once on two replicas use what the two cost, not five times one."""
    found = share_hour(pool(), AT, [run(0, 60) for _ in range(5)])

    assert (found.used_nano, found.idle_nano, found.shares) == (6_400_000_000, 0, (1_280_000_000,) * 5)


def test_a_call_across_the_hour_is_busy_in_both() -> None:
    """What runs past the hour's end is not used in it, and what began before it is."""
    late = share_hour(pool(), AT, [run(45, 30)])
    early = share_hour(pool(), AT, [run(50, 5)], [run(-15, 30)])

    assert late.used_nano == 6_400_000_000 * 15 // 120
    assert early.used_nano == 1_066_666_667


def test_with_a_capacity_tokens_are_used() -> None:
    """A quarter of what the replicas can do is a quarter of the cost, however long it took; beyond all there is no more."""
    found = share_hour(pool(capacity=1_000), AT, [run(0, 1, 125_000), run(0, 60, 375_000)])
    over = share_hour(pool(capacity=1_000), AT, [run(0, 1, 9_000_000)])

    assert (found.shares, found.idle_nano) == ((400_000_000, 1_200_000_000), 4_800_000_000)
    assert (over.used_nano, over.idle_nano) == (6_400_000_000, 0)


def test_output_weighs_more_than_input_and_the_cache_less() -> None:
    """A token out weighs four in, a cached one a tenth; cached tokens never exceed the input."""
    found = pool()

    assert found.weight(Usage(input_tokens=100, cache_read_tokens=50, output_tokens=10)) == 50_000 + 5_000 + 40_000
    assert found.weight(Usage(input_tokens=10, cache_read_tokens=50)) == 1_000
    assert found.weight(Usage()) == 0


@given(
    replicas=st.integers(1, 64),
    hourly=st.decimals("0", "1000", places=4),
    capacity=st.none() | st.integers(1, 10**9),
    calls=st.lists(st.tuples(st.integers(0, HOUR - 1), st.integers(0, 2 * HOUR), st.integers(0, 10**10)), max_size=60),
)
def test_shares_and_idle_add_up_to_the_hour(
    replicas: int, hourly: Decimal, capacity: int | None, calls: list[tuple[int, int, int]]
) -> None:
    """Whatever ran, the shares and the idle line are the hour's cost to the cent and below, none negative."""
    one = pool(replicas=replicas, hourly_nano=int(hourly * 10**9), capacity=capacity)
    found = share_hour(one, AT, [Run(AT + start, takes, weight) for start, takes, weight in calls])
    money = [Decimal(nano) / 10**9 for nano in (*found.shares, found.idle_nano)]

    assert sum(money) == replicas * hourly
    assert min(money) >= 0
    assert len(found.shares) == len(calls)


@given(st.lists(st.integers(1, 10**6), min_size=2, max_size=30))
def test_a_share_is_within_a_nano_of_its_part(weights: list[int]) -> None:
    """Rounding moves no call's share by more than one nano-unit."""
    found = share_hour(pool(), AT, [run(0, 60, weight) for weight in weights])

    for share, weight in zip(found.shares, weights, strict=True):
        assert abs(Decimal(share) - Decimal(found.used_nano) * weight / sum(weights)) <= 1


def test_a_later_entry_of_the_same_name_takes_over() -> None:
    """From its day on the later one alone is in force, so that no hour is counted twice; another name stands beside it."""
    first, later, other = pool(), pool(replicas=3, since=AT), pool(name="b", models=("other",))
    found = Pools((first, other, later))

    assert [(one.name, one.replicas) for one in found.at(AT - 1)] == [("gpu", 2), ("b", 2)]
    assert sorted((one.name, one.replicas) for one in found.at(AT)) == [("b", 2), ("gpu", 3)]
    assert found.find(None, ("HOUSE-7b",), None, AT) == later
    assert found.find(None, ("else",), None, AT) is None


def test_a_call_waits_for_its_hour(tmp_path: Path) -> None:
    """A call on a pool has no amount until its hour is shared, and says so, whatever the tables say of the model."""
    path = tmp_path / "prices.toml"
    path.write_text("[[on_prem]]\nhost = '*.gpu.internal'\nhourly = '1'\nfrom = 2026-01-01\n")
    pricer = Pricer(path)
    call = Span(
        project="p", trace_id="a" * 32, span_id="b" * 16, kind="llm", start_time=AT, provider="openai",
        request_model="gpt-4o-mini", endpoint_host="A.GPU.internal", usage=Usage(input_tokens=5),
        raw=RawSpan(trace_id="a" * 32, span_id="b" * 16),
    )  # fmt: skip
    cost = pricer.cost_of(call)

    assert (cost.state, cost.nano, cost.source) == ("unpriced", None, "on-premises *.gpu.internal")
    assert "hour" in (cost.reason or "")
    assert pricer.pool_of(call) is not None


def test_a_share_says_what_it_is_a_share_of() -> None:
    """The cost names the hour, the replicas, the rate, how much was used, and the day of the exchange rate."""
    split = share_hour(pool(), AT, [run(0, 30)])
    cost = cost_of_share(pool(), AT, split.shares[0], split, Dollars(110, 100, "2026-10-30", "ECB"))

    assert (cost.nano, cost.nano_usd, cost.currency, cost.confidence) == (
        1_600_000_000,
        1_760_000_000,
        "EUR",
        "override",
    )
    assert cost.version == "hour 2026-11-20T10:00Z: 2 x 3.2 EUR, 25.0 % used; EUR at the rate of 2026-10-30 (ECB)"
    assert cost_of_share(pool(), AT, 1, split, None).nano_usd is None
