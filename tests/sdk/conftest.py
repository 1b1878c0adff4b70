"""The SDK under test: a real OTel provider with an exporter in memory, the real openai client on a loopback server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from openai import AsyncOpenAI, OpenAI
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.util._once import Once

import watchkeeper as wk
from tests import fake_openai


@pytest.fixture
def provider() -> Iterator[TracerProvider]:
    """Give each test a global provider of its own; OTel itself sets one once a process."""
    before = trace._TRACER_PROVIDER
    mine = TracerProvider()
    trace._TRACER_PROVIDER = mine
    yield mine
    mine.shutdown()
    trace._TRACER_PROVIDER = before


@pytest.fixture
def no_provider() -> Iterator[None]:
    """Let the SDK find an app that has no provider, as most have none."""
    before, once = trace._TRACER_PROVIDER, trace._TRACER_PROVIDER_SET_ONCE
    trace._TRACER_PROVIDER, trace._TRACER_PROVIDER_SET_ONCE = None, Once()
    yield
    made = trace._TRACER_PROVIDER
    if isinstance(made, TracerProvider):
        made.shutdown()
    trace._TRACER_PROVIDER, trace._TRACER_PROVIDER_SET_ONCE = before, once


@pytest.fixture(params=["no_provider", "provider"], ids=["our recorder", "the app's provider"])
def exported(request: pytest.FixtureRequest) -> Iterator[InMemorySpanExporter]:
    """Start the SDK with an exporter that keeps the spans: once with our own recorder, once in the app's provider."""
    request.getfixturevalue(request.param)
    exporter = InMemorySpanExporter()
    wk.init("test-app", endpoint="http://127.0.0.1:9", exporter=exporter)
    yield exporter
    wk.shutdown()


@pytest.fixture(scope="session")
def base_url() -> Iterator[str]:
    """Run the fake provider."""
    server = fake_openai.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    server.shutdown()


@pytest.fixture
def client(base_url: str) -> OpenAI:
    """Give a wrapped client."""
    return wk.wrap(OpenAI(base_url=base_url, api_key="none", max_retries=0))


@pytest.fixture
def async_client(base_url: str) -> AsyncOpenAI:
    """Give a wrapped async client."""
    return wk.wrap(AsyncOpenAI(base_url=base_url, api_key="none", max_retries=0))
