"""What `wk.init` sets up: one exporter behind a bounded queue, and counts of what was lost.

The app's TracerProvider is used where it has one, so that its web framework's spans and ours are one
tree; else ours becomes the global one, and our own spans are made by our own recorder (`recorder`).
"""

from __future__ import annotations

import ipaddress
import logging
import os
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace import Tracer as SdkTracer
from opentelemetry.sdk.trace.export import SpanExporter
from opentelemetry.sdk.trace.sampling import Sampler
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from watchkeeper.kit.errors import ConfigError
from watchkeeper.kit.settings import SdkSettings, read
from watchkeeper.model import semconv
from watchkeeper.sdk import farewell
from watchkeeper.sdk.context import SessionProcessor
from watchkeeper.sdk.export import SpanQueue
from watchkeeper.sdk.http import Tls, Wire
from watchkeeper.sdk.instruments import Instruments
from watchkeeper.sdk.recorder import Origin, Recorder
from watchkeeper.sdk.redact import Redaction
from watchkeeper.sdk.sample import Choice, ChoiceSampler, Sieve, choice_of
from watchkeeper.sdk.scores import score_queue
from watchkeeper.sdk.send import ExporterSender, OtlpSender, Sender

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.trace import Tracer
    from prometheus_client import CollectorRegistry

__all__ = ["DEFAULT_ENDPOINT", "Runtime", "current", "init", "tracer"]

DEFAULT_ENDPOINT = "http://127.0.0.1:7070"
_log = logging.getLogger("watchkeeper")
_SCOPE = "watchkeeper"
_GOODBYE = 1.5
"""Seconds the host's exit may wait for a server that is up but does not answer."""


class Runtime:
    """One initialised SDK."""

    def __init__(
        self,
        settings: SdkSettings,
        provider: TracerProvider,
        sender: Sender[Any],
        endpoint: str,
        choice: Choice,
        redaction: Redaction | None = None,
        instruments: Instruments | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.content = _captures(settings.content)
        self.final = settings.content.strip().lower() == "never"
        """Whether content is off whatever the code says."""
        self.provider = provider
        self.spans = SpanQueue(sender, endpoint)
        self.scores = score_queue(_score_wire(settings, endpoint), endpoint)
        own = isinstance(provider, _Provider)
        self.sieve = Sieve(self.spans, choice, ours=own)
        self.tracer: Tracer = provider.get_tracer(_SCOPE)
        self.redaction = redaction
        self.instruments = instruments
        if instruments is not None:
            self.sieve.watchers.append(instruments)
        self.records = False
        """Whether our own spans are made by our own recorder."""
        self._origin: Origin | None = None
        self._processors: tuple[SpanProcessor, ...] = (SessionProcessor(), self.sieve)
        for one in self._processors:
            provider.add_span_processor(one)
        if isinstance(provider, _Provider) and (settings.disabled or "").strip().lower() != "true":
            provider.others = self._give_way
            self._origin = Origin(provider.resource, InstrumentationScope(_SCOPE), self.sieve.recorded)
            self.tracer, self.records = Recorder(self._origin, choice), True
        if hasattr(os, "register_at_fork"):
            forked = weakref.WeakMethod(self._after_fork)
            os.register_at_fork(after_in_child=lambda: again() if (again := forked()) is not None else None)

    def flush(self, timeout: float) -> bool:
        """Send what waits; False when it took longer than `timeout` seconds, or was not taken."""
        end = time.monotonic() + timeout
        spans = self.spans.flush(timeout)
        return self.scores.flush(max(0.0, end - time.monotonic())) and spans

    def shutdown(self) -> None:
        """Send what waits and stop, within two seconds whatever the server does."""
        end = time.monotonic() + _GOODBYE
        self.spans.shutdown(_GOODBYE)
        self.scores.shutdown(max(0.0, end - time.monotonic()))
        _take_out(self.provider, self._processors)

    def _give_way(self) -> None:
        """Make spans by OTel's SDK from now on: the app has added a processor of its own, which is to see ours too."""
        self.tracer, self.records = self.provider.get_tracer(_SCOPE), False

    def _after_fork(self) -> None:
        self.sieve.after_fork()
        if self._origin is not None:
            self._origin.resource = self.provider.resource  # OTel gives the child an instance id of its own
        farewell.in_child(shutdown)


class _Provider(TracerProvider):
    """The provider that stands in where the app has none."""

    others: Any = None
    """Called when somebody else adds a processor."""

    def renew(self, sampler: Sampler, resource: Resource) -> None:
        """Serve another `init`: OTel takes a global provider once a process."""
        self.others = None
        self.sampler = sampler
        self._resource = resource
        for tracer in self._tracers.values():  # those that other libraries keep
            if isinstance(tracer, SdkTracer):
                tracer.sampler, tracer.resource = sampler, resource

    def add_span_processor(self, span_processor: SpanProcessor) -> None:
        """Add one."""
        super().add_span_processor(span_processor)
        if self.others is not None:
            self.others()


def _take_out(provider: TracerProvider, processors: tuple[SpanProcessor, ...]) -> None:
    """Take processors out of a provider again, where it keeps them as OTel's does; it has no word for that."""
    feeds = provider._active_span_processor  # noqa: SLF001 - as said
    held = getattr(feeds, "_span_processors", None)
    if isinstance(held, tuple):
        feeds._span_processors = tuple([one for one in held if one not in processors])  # noqa: SLF001 - as said


class _Holder:
    """The process's one SDK. An SDK is process-wide by nature: this is the one place that says so."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        """Taken again by a signal's handler that calls `shutdown` while `init` runs."""
        self.runtime: Runtime | None = None
        self.hooked = False

    def hook(self) -> None:
        """See, once, to the end of the process and to its children."""
        if not self.hooked:
            self.hooked = True
            farewell.at_exit(shutdown)
            if hasattr(os, "register_at_fork"):
                os.register_at_fork(after_in_child=self._after_fork)

    def _after_fork(self) -> None:
        self.lock = threading.RLock()


_holder = _Holder()


def init(
    service: str | None = None,
    *,
    endpoint: str | None = None,
    api_key: str | None = None,
    environment: str | None = None,
    release: str | None = None,
    content: bool | None = None,
    sample: float | None = None,
    redact: Callable[[str], str] | None = None,
    prometheus: CollectorRegistry | None = None,
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
        sample: share of traces that are sent, 0 to 1; traces that fail are sent all the same; else WATCHKEEPER_SAMPLE.
        redact: passed every text of a span before it leaves, on another thread; a text on which it fails is withheld.
            Ids, the resource and scores are not passed.
        prometheus: the app's registry, given `llm_request_duration_seconds` and `llm_tokens_total`.
        exporter: an OTel exporter to use instead of OTLP/HTTP.

    Raises:
        ConfigError: the endpoint is not an http address, or a setting does not parse. Nothing else is raised into the host.
    """
    told = None if content is None else ("on" if content else "off")
    settings = read(
        SdkSettings,
        service=service,
        endpoint=endpoint,
        api_key=api_key,
        environment=environment,
        content=told,
        sample=sample,
    )
    base = (settings.endpoint or settings.otlp_endpoint or DEFAULT_ENDPOINT).rstrip("/")
    if urlsplit(base).scheme not in {"http", "https"}:
        raise ConfigError(f"the endpoint {base!r} is not an http address", hint=f"for example {DEFAULT_ENDPOINT}")
    choice = choice_of(settings.sample, settings.sampler, settings.sampler_arg)
    _captures(settings.content)
    _holder.hook()
    with _holder.lock:
        if _holder.runtime is not None:
            return
        instruments = Instruments(prometheus) if prometheus is not None else None
        redaction = Redaction(redact) if redact is not None else None
        sender: Sender[Any] = (
            _sender(settings, base, redaction) if exporter is None else ExporterSender(exporter, redaction)
        )
        provider = _provider(settings, release, choice)
        _holder.runtime = Runtime(settings, provider, sender, base, choice, redaction, instruments)


def shutdown() -> None:
    """Send what waits, then stop; `init` may be called again."""
    with _holder.lock:
        runtime, _holder.runtime = _holder.runtime, None
    if runtime is not None:
        runtime.shutdown()
        if runtime.instruments is not None:
            runtime.instruments.close()


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
    if word in {"off", "false", "0", "no", "never"}:
        return False
    raise ConfigError(f"WATCHKEEPER_CONTENT is {told!r}", hint="say on, off or never")


def _provider(settings: SdkSettings, release: str | None, choice: Choice) -> TracerProvider:
    existing = trace.get_tracer_provider()
    if isinstance(existing, TracerProvider) and not isinstance(existing, _Provider):
        return existing
    attributes: dict[str, Any] = {}
    if settings.service:
        attributes[semconv.SERVICE_NAME] = settings.service
    if settings.environment:
        attributes[semconv.ENVIRONMENT] = settings.environment
    if release:
        attributes[semconv.SERVICE_VERSION] = release
    resource = Resource.create(attributes)
    if isinstance(existing, _Provider):
        existing.renew(ChoiceSampler(choice), resource)
        return existing
    provider = _Provider(sampler=ChoiceSampler(choice), resource=resource, shutdown_on_exit=False)  # ours comes first
    trace.set_tracer_provider(provider)
    return provider


def _sender(settings: SdkSettings, base: str, redaction: Redaction | None) -> OtlpSender:
    headers = {"Content-Type": "application/x-protobuf"}
    told = settings.otlp_traces_headers or settings.otlp_headers or ""
    for one in told.split(","):
        name, found, value = one.partition("=")
        if found and name.strip():
            headers[name.strip()] = unquote(value.strip())
    if settings.api_key:
        headers["Authorization"] = f"Bearer {settings.api_key}"
    target = settings.otlp_traces_endpoint if settings.endpoint is None else None
    url = target or f"{base}/v1/traces"
    word = (settings.otlp_compression or "").strip().lower()
    wire = Wire(url, headers, compress=word == "gzip" or (not word and not _is_loopback(url)), tls=_tls(settings))
    return OtlpSender(wire, redaction, timeout=settings.otlp_timeout)


def _score_wire(settings: SdkSettings, endpoint: str) -> Wire:
    headers = {"Content-Type": "application/json"}
    if settings.api_key:
        headers["Authorization"] = f"Bearer {settings.api_key}"
    return Wire(f"{endpoint}/api/v1/scores", headers, compress=False, tls=_tls(settings))


def _tls(settings: SdkSettings) -> Tls:
    return Tls(settings.otlp_certificate, settings.otlp_client_certificate, settings.otlp_client_key)


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
