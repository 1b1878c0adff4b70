"""OTLP over gRPC, on the same event loop; the same service behind it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import grpc.aio
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2, logs_service_pb2_grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2, metrics_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

from watchkeeper.ingest import decode_logs_message, decode_traces_message
from watchkeeper.kit.errors import OverloadedError, StoreFullError, WatchkeeperError
from watchkeeper.server.access import check
from watchkeeper.server.credentials import secret_of
from watchkeeper.server.gate import Credentials, Gate, is_loopback
from watchkeeper.server.otlp.service import Accepted, IngestService
from watchkeeper.server.tls import Tls

__all__ = ["GrpcServer", "service_names"]

_CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    413: grpc.StatusCode.INVALID_ARGUMENT,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    503: grpc.StatusCode.UNAVAILABLE,
    507: grpc.StatusCode.UNAVAILABLE,  # what every SDK tries again
}


_PROXIED = frozenset({"forwarded", "x-forwarded-for", "x-real-ip", "x-forwarded-proto", "via"})


def service_names() -> tuple[str, ...]:
    """Return the full names of the services that are served, as `permissions.GRPC_NEEDS` has them."""
    described = (trace_service_pb2, logs_service_pb2, metrics_service_pb2)
    return tuple(service.full_name for module in described for service in module.DESCRIPTOR.services_by_name.values())


class GrpcServer:
    """The three OTLP collector services."""

    def __init__(self, service: IngestService, gate: Gate, max_body: int, tls: Tls | None = None) -> None:
        self._service = service
        self._tls = tls
        self._gate = gate
        self._server = grpc.aio.server(
            options=[("grpc.max_receive_message_length", max_body), ("grpc.so_reuseport", 0)],
        )
        trace_service_pb2_grpc.add_TraceServiceServicer_to_server(_Traces(self), self._server)
        logs_service_pb2_grpc.add_LogsServiceServicer_to_server(_Logs(self), self._server)
        metrics_service_pb2_grpc.add_MetricsServiceServicer_to_server(_Metrics(self), self._server)

    async def start(self, host: str, port: int) -> int:
        """Listen and return the port.

        Raises:
            RuntimeError: the address is taken or not ours.
        """
        name = f"[{host}]" if ":" in host else host
        where = f"{name}:{port}"
        if self._tls is None:
            bound = self._server.add_insecure_port(where)
        else:
            bound = self._server.add_secure_port(where, self._tls.for_grpc())
        if bound == 0:
            raise RuntimeError(f"cannot listen on {name}:{port}")
        await self._server.start()
        return int(bound)

    async def stop(self, grace: float) -> None:
        """Stop taking calls and wait up to `grace` seconds for those under way."""
        await self._server.stop(grace)

    async def take(self, context: Any, work: Callable[[str], Awaitable[Accepted]]) -> Accepted:  # noqa: ANN401 - grpc is untyped
        """Run one export for the caller's project; errors become gRPC status codes."""
        try:
            return await work(await self._project(context))
        except WatchkeeperError as error:
            self._service.refused(error.code)
            if isinstance(error, OverloadedError | StoreFullError):
                context.set_trailing_metadata((("retry-after", str(error.retry_after)),))
            await context.abort(_CODES.get(error.status, grpc.StatusCode.INTERNAL), error.message)
            raise

    @property
    def service(self) -> IngestService:
        """Return the service behind."""
        return self._service

    async def _project(self, context: Any) -> str:  # noqa: ANN401 - grpc is untyped
        sent = {str(key).lower(): str(value) for key, value in context.invocation_metadata() or ()}
        secret = secret_of(sent.get)
        local = _is_local(str(context.peer())) and _PROXIED.isdisjoint(sent)
        caller = await self._gate.admit(Credentials(local=local, secret=secret))
        # All three services need the same (see `permissions.GRPC_NEEDS`), as the tests hold.
        check(caller, "ingest")
        return caller.project


class _Traces(trace_service_pb2_grpc.TraceServiceServicer):
    def __init__(self, server: GrpcServer) -> None:
        self._server = server

    async def Export(self, request: Any, context: Any) -> Any:  # noqa: N802, ANN401 - gRPC names it
        taken = await self._server.take(
            context,
            lambda project: self._server.service.traces(
                project, request.ByteSize(), lambda: decode_traces_message(request)
            ),
        )
        return _told(trace_service_pb2.ExportTraceServiceResponse(), "rejected_spans", taken)


class _Logs(logs_service_pb2_grpc.LogsServiceServicer):
    def __init__(self, server: GrpcServer) -> None:
        self._server = server

    async def Export(self, request: Any, context: Any) -> Any:  # noqa: N802, ANN401 - gRPC names it
        taken = await self._server.take(
            context,
            lambda project: self._server.service.logs(
                project, request.ByteSize(), lambda: decode_logs_message(request)
            ),
        )
        return _told(logs_service_pb2.ExportLogsServiceResponse(), "rejected_log_records", taken)


class _Metrics(metrics_service_pb2_grpc.MetricsServiceServicer):
    def __init__(self, server: GrpcServer) -> None:
        self._server = server

    async def Export(self, request: Any, context: Any) -> Any:  # noqa: N802, ANN401 - gRPC names it
        await self._server.take(context, lambda _: self._server.service.metrics(request.ByteSize(), lambda: 0))
        return metrics_service_pb2.ExportMetricsServiceResponse()


def _told(answer: Any, counter: str, taken: Accepted) -> Any:  # noqa: ANN401 - grpc is untyped
    """Say in the answer what was refused."""
    if taken.rejected:
        setattr(answer.partial_success, counter, taken.rejected)
        answer.partial_success.error_message = taken.reason
    return answer


def _is_local(peer: str) -> bool:
    kind, _, rest = peer.partition(":")
    if kind == "unix":
        return True
    return is_loopback(rest.replace("%5B", "[").replace("%5D", "]").rpartition(":")[0])
