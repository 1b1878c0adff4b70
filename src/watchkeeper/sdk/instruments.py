"""Model calls as metrics in the app's own Prometheus registry."""

from __future__ import annotations

import bisect
import collections
import itertools
import logging
import os
import threading
import weakref
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry.trace import StatusCode

from watchkeeper.kit.errors import ConfigError
from watchkeeper.model import semconv
from watchkeeper.sdk.recorder import Recording

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from prometheus_client import CollectorRegistry
    from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

__all__ = ["BUCKETS", "Instruments"]

_log = logging.getLogger("watchkeeper")
BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0)
"""Seconds, as on the server's own page: from an embedding to an agent's long answer."""
_MOST = 100
_MOST_WAITING = 100_000
_PATIENCE = 1.0
"""Seconds a scrape waits for a count that is under way; it never is for long, unless a signal's handler scrapes in it."""
_NS = 1_000_000_000
_NO_CALLS = frozenset({"invoke_agent", "create_agent", "execute_tool", "invoke_workflow"})
_TOKENS = (
    ("input", semconv.USAGE_INPUT),
    ("output", semconv.USAGE_OUTPUT),
    ("cache_read", semconv.USAGE_CACHE_READ),
    ("cache_write", semconv.USAGE_CACHE_WRITE),
    ("reasoning", semconv.USAGE_REASONING),
)


class _Done(NamedTuple):
    """A call that ended."""

    provider: object
    model: object
    operation: object
    status: str
    seconds: float
    tokens: tuple[tuple[str, int], ...]


class Instruments:
    """`llm_request_duration_seconds` and `llm_tokens_total`, by provider, model and operation.

    Every call counts, sampled or not. A label takes 100 values, then `other`. `input` and `output` are
    inclusive totals; the other types are parts of them.

    It is a collector of its own, not a few of the library's metrics: a span may end wherever the garbage collector or a
    signal comes by, inside the library's locks too, and those cannot be taken twice. What ends waits in a deque, and is
    counted by whoever is not in the middle of it.

    Args:
        registry: the app's.

    Raises:
        ConfigError: `prometheus_client` is not installed, or the registry has metrics of these names already.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        try:
            from prometheus_client import core
        except ImportError as error:
            raise ConfigError(
                "init(prometheus=...) needs prometheus-client", hint="pip install prometheus-client"
            ) from error
        self._core = core
        self._registry = registry
        self._ended: collections.deque[_Done] = collections.deque(maxlen=_MOST_WAITING)
        self._reset()
        try:
            registry.register(self)
        except ValueError as error:
            raise ConfigError(
                f"the registry cannot take our metrics: {error}", hint="give a registry of the app's own, once"
            ) from error
        if hasattr(os, "register_at_fork"):
            forked = weakref.WeakMethod(self._reset)
            os.register_at_fork(after_in_child=lambda: reset() if (reset := forked()) is not None else None)

    def __call__(self, span: ReadableSpan | Recording) -> None:
        """Count a span that ended, where it is a model call. Never raises."""
        try:
            done = _done(span)
            if done is not None:
                self._ended.append(done)
                self._count()
        except Exception:
            _log.debug("a call could not be counted", exc_info=True)

    def close(self) -> None:
        """Take the metrics out of the registry."""
        self._registry.unregister(self)

    def describe(self) -> Iterable[HistogramMetricFamily | CounterMetricFamily]:
        """Name the metrics, so that the registry can tell whether it has them already."""
        return self._families()

    def collect(self) -> Iterable[HistogramMetricFamily | CounterMetricFamily]:
        """Give the counts, as the registry asks for them."""
        durations, tokens = self._families()
        self._count(_PATIENCE)
        for labels, (counts, total) in sorted(self._durations.items()):
            bounds = [*(str(bound) for bound in BUCKETS), "+Inf"]
            durations.add_metric(labels, list(zip(bounds, itertools.accumulate(counts), strict=True)), total)
        for marks, count in sorted(self._tokens.items()):
            tokens.add_metric(marks, count)
        return durations, tokens

    def _families(self) -> tuple[HistogramMetricFamily, CounterMetricFamily]:
        return (
            self._core.HistogramMetricFamily(
                "llm_request_duration_seconds",
                "Duration of model calls",
                labels=("provider", "model", "operation", "status"),
            ),
            self._core.CounterMetricFamily("llm_tokens", "Tokens of model calls", labels=("provider", "model", "type")),
        )

    def _reset(self) -> None:
        """Begin at nothing; in a forked child, too, whose parent counts what was before."""
        self._busy = threading.Lock()
        self._ended.clear()
        self._seen: dict[str, set[str]] = {"provider": set(), "model": set(), "operation": set()}
        self._durations: dict[tuple[str, str, str, str], tuple[list[int], float]] = {}
        self._tokens: dict[tuple[str, str, str], int] = {}

    def _count(self, wait: float = 0.0) -> None:
        """Count what waits, unless somebody is at it, who will count it too."""
        busy = self._busy
        while self._ended and (busy.acquire(timeout=wait) if wait else busy.acquire(blocking=False)):
            try:
                while self._ended:
                    self._add(self._ended.popleft())
            finally:
                busy.release()

    def _add(self, done: _Done) -> None:
        provider, model = self._label("provider", done.provider), self._label("model", done.model)
        labels = (provider, model, self._label("operation", done.operation), done.status)
        counts, total = self._durations.get(labels) or ([0] * (len(BUCKETS) + 1), 0.0)
        counts[bisect.bisect_left(BUCKETS, done.seconds)] += 1
        self._durations[labels] = (counts, total + done.seconds)
        for kind, count in done.tokens:
            marks = (provider, model, kind)
            self._tokens[marks] = self._tokens.get(marks, 0) + count

    def _label(self, name: str, value: object) -> str:
        text = value[:120] if isinstance(value, str) and value else "unknown"
        seen = self._seen[name]
        if text not in seen:
            if len(seen) >= _MOST:
                return "other"
            seen.add(text)
        return text


def _done(span: ReadableSpan | Recording) -> _Done | None:
    # What was set, without writing the texts that wait to be written elsewhere.
    told: Any = span.told if isinstance(span, Recording) else (span.attributes or {})
    operation, asked = told.get(semconv.OPERATION), told.get(semconv.REQUEST_MODEL)
    if asked is None or operation in _NO_CALLS or span.end_time is None or span.start_time is None:
        return None
    counts = tuple([(kind, count) for kind, key in _TOKENS if isinstance(count := told.get(key), int) and count > 0])
    return _Done(
        told.get(semconv.PROVIDER), told.get(semconv.RESPONSE_MODEL) or asked, operation,
        "error" if span.status.status_code is StatusCode.ERROR else "ok",
        (span.end_time - span.start_time) / _NS, counts,
    )  # fmt: skip
