"""`/metrics`: what Prometheus may know about the model calls and about ourselves.

Counted once, when a span is first stored: a resend or an amendment changes nothing. Label values are
capped, then `other`, so that a hostile or careless emitter cannot grow the page without bound.
"""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder

from watchkeeper.model import MODEL_KINDS, Span
from watchkeeper.store.api import Outcome, SpanStore

__all__ = ["Metrics"]

_CALL = ("service", "provider", "model")
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 8, 13, 20, 30, 60, 120, 300)
_FIRST = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.2, 2, 3, 5, 10, 20)
_CAP = 200
_NS = 1e9


class Metrics:
    """The registry and what is counted in it."""

    def __init__(self, store: SpanStore) -> None:
        self.registry = CollectorRegistry()
        made = self.registry
        self._requests = Counter("llm_requests", "Model calls stored", (*_CALL, "status"), registry=made)
        self._duration = Histogram(
            "llm_request_duration_seconds",
            "Duration of model calls",
            (*_CALL, "status"),
            buckets=_SECONDS,
            registry=made,
        )
        self._first = Histogram(
            "llm_time_to_first_token_seconds",
            "Time to first token of streamed calls",
            _CALL,
            buckets=_FIRST,
            registry=made,
        )
        self._tokens = Counter(
            "llm_tokens", "Tokens by type; input and output are inclusive totals", (*_CALL, "type"), registry=made
        )
        self._cost = Counter("llm_cost_usd", "Cost of priced model calls in US dollars", _CALL, registry=made)
        self._unpriced = Counter("llm_unpriced_requests", "Model calls that have no price", _CALL, registry=made)
        self._spans = Counter(
            "watchkeeper_spans", "Spans received, by what became of them", ("outcome",), registry=made
        )
        self._commit = Histogram(
            "watchkeeper_commit_seconds",
            "Duration of store commits",
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5),
            registry=made,
        )
        self._refused = Counter(
            "watchkeeper_refused_requests", "Ingest requests refused, by reason", ("code",), registry=made
        )
        Gauge("watchkeeper_queue_bytes", "Bytes waiting for a commit", registry=made).set_function(
            lambda: store.stats().queued
        )
        Gauge("watchkeeper_store_bytes", "Size of the store on disk", registry=made).set_function(
            lambda: store.stats().disk_bytes
        )
        self._seen: dict[str, set[str]] = {name: set() for name in _CALL}

    def refused(self, code: str) -> None:
        """Count a refused ingest request."""
        self._refused.labels(code).inc()

    def stored(self, spans: Iterable[Span], outcomes: Iterable[Outcome], commit_ns: int) -> None:
        """Count a committed batch."""
        self._commit.observe(commit_ns / _NS)
        for span, outcome in zip(spans, outcomes, strict=True):
            self._spans.labels(outcome).inc()
            if outcome == "inserted" and span.kind in MODEL_KINDS:
                self._call(span)

    def page(self, accept: str) -> tuple[bytes, str]:
        """Write the page in the format the scraper asks for; returns body and content type."""
        encoder, content_type = choose_encoder(accept)
        return encoder(self.registry), content_type

    def _call(self, span: Span) -> None:
        labels = (
            self._label("service", span.service),
            self._label("provider", span.provider),
            self._label("model", span.model),
        )
        status = "error" if span.status == "error" else "ok"
        self._requests.labels(*labels, status).inc()
        self._duration.labels(*labels, status).observe(span.duration_ns / _NS)
        if span.time_to_first_token_ns is not None:
            self._first.labels(*labels).observe(span.time_to_first_token_ns / _NS)
        for kind, count in (
            ("input", span.usage.input_tokens),
            ("output", span.usage.output_tokens),
            ("cache_read", span.usage.cache_read_tokens),
            ("cache_write", span.usage.cache_write_tokens),
            ("reasoning", span.usage.reasoning_tokens),
        ):
            if count:
                self._tokens.labels(*labels, kind).inc(count)
        if span.cost is not None and span.cost.nano_usd is not None:
            self._cost.labels(*labels).inc(max(0, span.cost.nano_usd) / _NS)
        elif span.cost is not None and span.cost.state == "unpriced":
            self._unpriced.labels(*labels).inc()

    def _label(self, name: str, value: str | None) -> str:
        text = (value or "unknown")[:120]
        seen = self._seen[name]
        if text in seen:
            return text
        if len(seen) >= _CAP:
            return "other"
        seen.add(text)
        return text
