"""Sampling: whole traces are kept or left out, those that fail are kept, and what was left out is counted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import watchkeeper as wk
from watchkeeper.kit.errors import ConfigError
from watchkeeper.sdk.sample import Choice, choice_of


@pytest.fixture(name="none_kept", params=["no_provider", "provider"], ids=["our recorder", "the app's provider"])
def _none_kept(request: pytest.FixtureRequest) -> Iterator[InMemorySpanExporter]:
    request.getfixturevalue(request.param)
    exporter = InMemorySpanExporter()
    wk.init("test-app", endpoint="http://127.0.0.1:9", exporter=exporter, sample=0.0)
    yield exporter
    wk.shutdown()


@wk.observe
def inner(*, fail: bool) -> int:
    """Answer, or fail."""
    if fail:
        raise ValueError("no")
    return 1


@wk.observe
def outer(*, fail: bool) -> int:
    """Call the inner one."""
    return inner(fail=fail)


@pytest.mark.parametrize("share", [-0.1, 1.1, "half", float("nan")])
def test_a_share_that_is_none_is_refused(share: object) -> None:
    """What is no number from 0 to 1 is refused by name."""
    with pytest.raises(ConfigError, match="sample"):
        choice_of(share, None, None)  # type: ignore[arg-type]


def test_a_trace_left_out_is_not_sent(none_kept: InMemorySpanExporter) -> None:
    """With a share of nothing, no span of a trace that went well is sent, and each is counted."""
    assert outer(fail=False) == 1
    wk.flush()

    assert none_kept.get_finished_spans() == ()
    assert wk.stats().spans_sampled_out == 2


def test_a_trace_that_fails_is_sent_whole(none_kept: InMemorySpanExporter) -> None:
    """A trace in which a span fails is sent, its parents with it, whatever the share."""
    with pytest.raises(ValueError, match="no"):
        outer(fail=True)
    wk.flush()

    assert sorted(span.name for span in none_kept.get_finished_spans()) == ["inner", "outer"]


def test_every_process_decides_alike() -> None:
    """The choice is by trace id alone, so that services that share a trace keep or leave it together."""
    ids = [number * 0x9E3779B97F4A7C15 % (1 << 128) for number in range(4_000)]
    first, second = Choice(0.25), Choice(0.25)
    kept = [one for one in ids if first(one, None)]

    assert kept == [one for one in ids if second(one, None)]
    assert 0.2 < len(kept) / len(ids) < 0.3
