"""The span queue: bounded, honest about time, and about what it lost."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator, Sequence

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

import watchkeeper as wk
from watchkeeper.kit.errors import ConfigError
from watchkeeper.sdk.export import SpanQueue
from watchkeeper.sdk.send import ExporterSender


class Gate(SpanExporter):
    """Takes batches once it is opened."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.entered = threading.Event()
        self.batches: list[list[ReadableSpan]] = []

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.entered.set()
        self.open.wait(60)
        self.batches.append(list(spans))
        return SpanExportResult.SUCCESS


class Broken(SpanExporter):
    """Raises at every batch."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        raise RuntimeError("no")


@pytest.fixture
def gate() -> Iterator[Gate]:
    """Give a closed gate, opened at the end."""
    made = Gate()
    yield made
    made.open.set()


def provider_of(spans: SpanQueue) -> TracerProvider:
    """Return a provider that feeds the queue."""
    made = TracerProvider(shutdown_on_exit=False)
    made.add_span_processor(spans)
    return made


def end_spans(spans: SpanQueue, count: int, text: str = "") -> None:
    """End so many spans."""
    tracer = provider_of(spans).get_tracer("t")
    for _ in range(count):
        tracer.start_span("s", attributes={"text": text}).end()


def test_a_word_that_is_neither_on_nor_off_is_refused(
    provider: TracerProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A content setting nobody can read is an error, never a silent yes."""
    monkeypatch.setenv("WATCHKEEPER_CONTENT", "nope")
    with pytest.raises(ConfigError, match="WATCHKEEPER_CONTENT"):
        wk.init("x")


def test_a_full_queue_drops_and_counts(gate: Gate) -> None:
    """What finds no place is dropped without waiting, and counted."""
    spans = SpanQueue(ExporterSender(gate), "here", size=5, batch=5)
    end_spans(spans, 5)
    gate.entered.wait(30)
    end_spans(spans, 8)

    assert spans.dropped == 3


def test_bytes_are_bounded_too(gate: Gate) -> None:
    """A few huge spans fill the queue as many small ones do."""
    spans = SpanQueue(ExporterSender(gate), "here", size_bytes=250_000, batch_bytes=10**9, delay=60)
    end_spans(spans, 4, "x" * 100_000)

    assert spans.dropped == 2


def test_flush_gives_up_in_time(gate: Gate) -> None:
    """`flush` comes back with False while a server that never answers still holds the batch."""
    spans = SpanQueue(ExporterSender(gate), "here")
    end_spans(spans, 1)

    assert not spans.flush(0.05)
    assert not gate.batches


def test_a_lost_batch_is_counted_and_said(caplog: pytest.LogCaptureFixture) -> None:
    """An exporter that raises costs its spans, is warned about once, and `flush` says False."""
    spans = SpanQueue(ExporterSender(Broken()), "http://here")
    end_spans(spans, 2)
    first = spans.flush(30)
    end_spans(spans, 1)

    assert (first, spans.flush(30), spans.lost) == (False, False, 3)
    assert [record.getMessage().split(":")[0] for record in caplog.records] == ["spans do not reach http"]


def test_shutdown_does_not_wait_for_a_hung_server(gate: Gate) -> None:
    """`shutdown` comes back while the batch is still held, and what waited behind it is lost and counted."""
    spans = SpanQueue(ExporterSender(gate), "here", batch=1)
    end_spans(spans, 3)
    gate.entered.wait(30)
    spans.shutdown(0.05)

    assert not gate.batches
    assert spans.lost == 2


def test_requests_are_split_by_size(gate: Gate) -> None:
    """Long content makes more requests, none of them larger than a server takes."""
    gate.open.set()
    spans = SpanQueue(ExporterSender(gate), "here", batch_bytes=250_000)
    end_spans(spans, 10, "x" * 100_000)

    assert spans.flush(30)
    assert max(len(batch) for batch in gate.batches) == 3
    assert spans.sent == 10


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_sends_its_own(gate: Gate) -> None:
    """A child has a thread of its own and does not send again what waited in its parent."""
    spans = SpanQueue(ExporterSender(gate), "here", delay=60)
    end_spans(spans, 1)
    pid = os.fork()
    if pid == 0:
        gate.open.set()
        end_spans(spans, 2)
        done = spans.flush(30)
        os._exit(0 if done and spans.sent == 2 else 1)

    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_flush_of_the_whole_sdk_keeps_its_time(provider: TracerProvider) -> None:
    """Against a port that accepts and never answers, `wk.flush` says False long before the request ends."""

    @wk.observe
    def observed() -> None: ...

    with socket.create_server(("127.0.0.1", 0)) as silent:
        wk.init("x", endpoint=f"http://127.0.0.1:{silent.getsockname()[1]}")
        observed()
        wk.score("good", 1, trace_id="a" * 32)
        done = wk.flush(0.1)
        stats = wk.stats()
    wk.shutdown()

    assert not done
    assert stats.spans_lost == 0, "the request is still on its way"


def test_a_score_that_is_no_number_does_not_raise(exported: object, caplog: pytest.LogCaptureFixture) -> None:
    """A wrong value is warned about and left out: the host goes on."""
    wk.score("helpful", "good")  # type: ignore[arg-type]

    assert "no number" in caplog.text
