"""What `wk.init` sets up: one exporter behind a bounded queue, and counts of what was lost.

The app's TracerProvider is used where it has one, so that its web framework's spans and ours are one
tree; else ours becomes the global one.
"""

from __future__ import annotations

import atexit
import logging
import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter

from watchkeeper.kit.errors import ConfigError
from watchkeeper.kit.settings import SdkSettings, read
from watchkeeper.model import semconv
from watchkeeper.sdk.context import SessionProcessor
from watchkeeper.sdk.export import SpanQueue
from watchkeeper.sdk.scores import ScoreSender

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

__all__ = ["DEFAULT_ENDPOINT", "Runtime", "current", "init", "tracer"]

DEFAULT_ENDPOINT = "http://127.0.0.1:7070"
_log = logging.getLogger("watchkeeper")
_SCOPE = "watchkeeper"
_GOODBYE = 5.0
"""Seconds the host's exit may wait for a server that is up but does not answer."""


class Runtime:
    """One initialised SDK."""

    def __init__(self, settings: SdkSettings, provider: TracerProvider, exporter: SpanExporter, endpoint: str) -> None:
        self.endpoint = endpoint
        self.content = _captures(settings.content)
        self.provider = provider
        self.spans = SpanQueue(exporter, endpoint)
        self.scores = ScoreSender(endpoint, settings.api_key)
        self.tracer = provider.get_tracer(_SCOPE)
        provider.add_span_processor(SessionProcessor())
        provider.add_span_processor(self.spans)

    def flush(self, timeout: float) -> bool:
        """Send what waits; False when it took longer than `timeout` seconds, or was not taken."""
        end = time.monotonic() + timeout
        spans = self.spans.flush(timeout)
        return self.scores.flush(max(0.0, end - time.monotonic())) and spans

    def shutdown(self) -> None:
        """Send what waits and stop, within a few seconds whatever the server does."""
        end = time.monotonic() + _GOODBYE
        self.spans.shutdown(_GOODBYE)
        self.scores.close(max(0.0, end - time.monotonic()))


class _Holder:
    """The process's one SDK. An SDK is process-wide by nature: this is the one place that says so."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.runtime: Runtime | None = None


_holder = _Holder()


def init(
    service: str | None = None,
    *,
    endpoint: str | None = None,
    api_key: str | None = None,
    environment: str | None = None,
    release: str | None = None,
    content: bool | None = None,
    exporter: SpanExporter | None = None,
) -> None:
    """Start tracing this process. Calling it again changes nothing.

    Args:
        service: `service.name`; else OTEL_SERVICE_NAME.
        endpoint: the server, `http://127.0.0.1:7070` by default; else WATCHKEEPER_ENDPOINT or OTEL_EXPORTER_OTLP_ENDPOINT.
        api_key: secret key; else WATCHKEEPER_API_KEY.
        environment: `deployment.environment.name`.
        release: `service.version`.
        content: whether prompts and answers are captured; else WATCHKEEPER_CONTENT.
        exporter: an OTel exporter to use instead of OTLP/HTTP.

    Raises:
        ConfigError: the endpoint is not an http address, or a setting does not parse. Nothing else is raised into the host.
    """
    told = None if content is None else ("on" if content else "off")
    settings = read(
        SdkSettings, service=service, endpoint=endpoint, api_key=api_key, environment=environment, content=told
    )
    base = (settings.endpoint or settings.otlp_endpoint or DEFAULT_ENDPOINT).rstrip("/")
    if urlsplit(base).scheme not in {"http", "https"}:
        raise ConfigError(f"the endpoint {base!r} is not an http address", hint=f"for example {DEFAULT_ENDPOINT}")
    with _holder.lock:
        if _holder.runtime is not None:
            return
        provider = _provider(settings, release)
        _holder.runtime = Runtime(settings, provider, exporter or _exporter(settings, base), base)
    atexit.register(shutdown)


def shutdown() -> None:
    """Send what waits, then stop; `init` may be called again."""
    with _holder.lock:
        runtime, _holder.runtime = _holder.runtime, None
    if runtime is not None:
        runtime.shutdown()


def current() -> Runtime | None:
    """Return the running SDK, or None before `init`."""
    return _holder.runtime


def tracer() -> Tracer:
    """Return the tracer; before `init` it belongs to whatever provider the app has, or does nothing."""
    runtime = _holder.runtime
    return runtime.tracer if runtime is not None else trace.get_tracer(_SCOPE)


def _captures(told: str) -> bool:
    word = told.strip().lower()
    if word in {"on", "true", "1", "yes"}:
        return True
    if word in {"off", "false", "0", "no"}:
        return False
    raise ConfigError(f"WATCHKEEPER_CONTENT is {told!r}", hint="say on or off")


def _provider(settings: SdkSettings, release: str | None) -> TracerProvider:
    existing = trace.get_tracer_provider()
    if isinstance(existing, TracerProvider):
        return existing
    attributes: dict[str, Any] = {}
    if settings.service:
        attributes[semconv.SERVICE_NAME] = settings.service
    if settings.environment:
        attributes[semconv.ENVIRONMENT] = settings.environment
    if release:
        attributes[semconv.SERVICE_VERSION] = release
    provider = TracerProvider(resource=Resource.create(attributes))
    trace.set_tracer_provider(provider)
    return provider


def _exporter(settings: SdkSettings, base: str) -> SpanExporter:
    headers = {"Authorization": f"Bearer {settings.api_key}"} if settings.api_key else None
    target = settings.otlp_traces_endpoint if settings.endpoint is None else None
    # The queue warns once instead: the exporter would complain at every batch for as long as the server is down.
    logging.getLogger("opentelemetry.exporter.otlp.proto.http.trace_exporter").setLevel(logging.CRITICAL)
    return OTLPSpanExporter(
        endpoint=target or f"{base}/v1/traces", headers=headers, timeout=5, compression=Compression.Gzip
    )
