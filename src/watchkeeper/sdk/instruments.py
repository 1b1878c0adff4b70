"""Model calls as metrics in the app's own Prometheus registry."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import StatusCode

from watchkeeper.kit.errors import ConfigError
from watchkeeper.model import semconv
from watchkeeper.sdk.recorder import Recording

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from prometheus_client import CollectorRegistry

__all__ = ["BUCKETS", "Instruments"]

_log = logging.getLogger("watchkeeper")
BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0)
"""Seconds, as on the server's own page: from an embedding to an agent's long answer."""
_MOST = 100
_NS = 1_000_000_000
_NO_CALLS = frozenset({"invoke_agent", "create_agent", "execute_tool", "invoke_workflow"})
_TOKENS = (
    ("input", semconv.USAGE_INPUT),
    ("output", semconv.USAGE_OUTPUT),
    ("cache_read", semconv.USAGE_CACHE_READ),
    ("cache_write", semconv.USAGE_CACHE_WRITE),
    ("reasoning", semconv.USAGE_REASONING),
)


class Instruments:
    """`llm_request_duration_seconds` and `llm_tokens_total`, by provider, model and operation.

    Every call counts, sampled or not. A label takes 100 values, then `other`. `input` and `output` are
    inclusive totals; the other types are parts of them.

    Args:
        registry: the app's.

    Raises:
        ConfigError: `prometheus_client` is not installed, or the registry has metrics of these names already.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        try:
            from prometheus_client import Counter, Histogram
        except ImportError as error:
            raise ConfigError(
                "init(prometheus=...) needs prometheus-client", hint="pip install prometheus-client"
            ) from error
        self._registry = registry
        self._seen: dict[str, set[str]] = {"provider": set(), "model": set(), "operation": set()}
        try:
            self._duration = Histogram(
                "llm_request_duration_seconds", "Duration of model calls",
                ("provider", "model", "operation", "status"), registry=registry, buckets=BUCKETS,
            )  # fmt: skip
            self._tokens = Counter(
                "llm_tokens", "Tokens of model calls", ("provider", "model", "type"), registry=registry
            )
        except ValueError as error:
            raise ConfigError(
                f"the registry cannot take our metrics: {error}", hint="give a registry of the app's own, once"
            ) from error

    def __call__(self, span: ReadableSpan | Recording) -> None:
        """Count a span that ended, where it is a model call. Never raises."""
        try:
            self._count(span)
        except Exception:
            _log.debug("a call could not be counted", exc_info=True)

    def close(self) -> None:
        """Take the metrics out of the registry."""
        self._registry.unregister(self._duration)
        self._registry.unregister(self._tokens)

    def _count(self, span: ReadableSpan | Recording) -> None:
        # What was set, without writing the texts that wait to be written elsewhere.
        told: Any = span.told if isinstance(span, Recording) else (span.attributes or {})
        operation, asked = told.get(semconv.OPERATION), told.get(semconv.REQUEST_MODEL)
        if asked is None or operation in _NO_CALLS or span.end_time is None or span.start_time is None:
            return
        provider = self._label("provider", told.get(semconv.PROVIDER))
        model = self._label("model", told.get(semconv.RESPONSE_MODEL) or asked)
        status = "error" if span.status.status_code is StatusCode.ERROR else "ok"
        seconds = (span.end_time - span.start_time) / _NS
        self._duration.labels(provider, model, self._label("operation", operation), status).observe(seconds)
        for kind, key in _TOKENS:
            count = told.get(key)
            if isinstance(count, int) and count > 0:
                self._tokens.labels(provider, model, kind).inc(count)

    def _label(self, name: str, value: object) -> str:
        text = value[:120] if isinstance(value, str) and value else "unknown"
        seen = self._seen[name]
        if text not in seen:
            if len(seen) >= _MOST:
                return "other"
            seen.add(text)
        return text
