"""The SDK under test: a real OTel provider with an exporter in memory, the real openai client on a loopback server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from openai import AsyncOpenAI, OpenAI
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

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
def exported(provider: TracerProvider) -> Iterator[InMemorySpanExporter]:
    """Start the SDK with an exporter that keeps the spans."""
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
