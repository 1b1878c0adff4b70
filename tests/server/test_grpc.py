"""OTLP over gRPC, with the real exporter and the real stubs."""

from __future__ import annotations

from collections.abc import AsyncIterator

import grpc
import grpc.aio
import pytest
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2, logs_service_pb2_grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2, metrics_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc

from tests.otlp import ROOT, TRACE, request, span
from watchkeeper.server import Services
from watchkeeper.server.otlp.grpc import GrpcServer


@pytest.fixture
async def channel(services: Services) -> AsyncIterator[grpc.aio.Channel]:
    """Serve on a free loopback port and connect."""
    server = GrpcServer(services.ingest, services.gate, 2 << 20)
    port = await server.start("127.0.0.1", 0)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as connected:
        yield connected
    await server.stop(1)


async def test_a_message_over_the_limit_is_refused(channel: grpc.aio.Channel) -> None:
    """A request over the size limit is RESOURCE_EXHAUSTED."""
    stub = trace_service_pb2_grpc.TraceServiceStub(channel)

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.Export(request(span(attributes={"x": "y" * 3_000_000})))
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


FORMS = [
    ("authorization", "Bearer {}"), ("authorization", "{}"), ("x-api-key", "{}"), ("api-key", "{}"), ("api_key", "{}"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "form"), FORMS)
async def test_a_key_is_known_in_each_form(channel: grpc.aio.Channel, name: str, form: str) -> None:
    """A key is understood in each form that clients send it in; one that nobody knows is UNAUTHENTICATED."""
    stub = trace_service_pb2_grpc.TraceServiceStub(channel)
    await stub.Export(request(span()), metadata=((name, form.format("sk-test")),))

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.Export(request(span()), metadata=((name, form.format("sk-wrong")),))
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_spans_are_durable_when_it_answers(channel: grpc.aio.Channel, services: Services) -> None:
    """A span sent over gRPC is stored, mapped and priced when the call returns; a bad one is named."""
    message = request(span(), span(span_id="00f067aa0ba902b7"))
    message.resource_spans[0].scope_spans[0].spans[1].trace_id = b"short"
    answer = await trace_service_pb2_grpc.TraceServiceStub(channel).Export(message)
    found = services.store.get_span("default", TRACE, ROOT)

    assert answer.partial_success.rejected_spans == 1
    assert found is not None
    assert found.cost is not None
    assert found.cost.nano == 420_000


async def test_logs_and_metrics_are_served(channel: grpc.aio.Channel) -> None:
    """The other two collector services answer."""
    logs = await logs_service_pb2_grpc.LogsServiceStub(channel).Export(logs_service_pb2.ExportLogsServiceRequest())
    metrics = await metrics_service_pb2_grpc.MetricsServiceStub(channel).Export(
        metrics_service_pb2.ExportMetricsServiceRequest()
    )

    assert logs == logs_service_pb2.ExportLogsServiceResponse()
    assert metrics == metrics_service_pb2.ExportMetricsServiceResponse()
