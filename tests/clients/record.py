"""Record what the real clients send, as fixtures: `python -m tests.clients.record` (needs `make clients`).

Bodies are kept as they came, several requests of one signal joined (protobuf messages join by concatenation).
Only the paths of the machine they were recorded on are replaced.
"""

from __future__ import annotations

import gzip
import sys
import threading
from collections import defaultdict
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from tests import fake_openai
from tests.clients import run

FIXTURES = Path(__file__).parents[1] / "ingest" / "fixtures"
KINDS: dict[str, type[Message]] = {
    "traces": ExportTraceServiceRequest, "logs": ExportLogsServiceRequest, "metrics": ExportMetricsServiceRequest,
}  # fmt: skip


class Sink(ThreadingHTTPServer):
    """An OTLP/HTTP server that keeps what it is sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.bodies: dict[str, list[bytes]] = defaultdict(list)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Return its address."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Sink

    def do_POST(self) -> None:
        """Keep a body."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.server.bodies[self.path.rpartition("/")[2]].append(body)
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Say nothing."""


def record(name: str, client: Callable[[str, str], None]) -> None:
    """Run a client against a sink and a fake provider, and save what arrived."""
    model, sink = fake_openai.start(), Sink()
    client(sink.url, f"http://127.0.0.1:{model.server_address[1]}/v1")
    FIXTURES.mkdir(exist_ok=True)
    for signal, bodies in sink.bodies.items():
        message = KINDS[signal].FromString(b"".join(bodies))
        scrub(message)
        path = FIXTURES / f"{name}.{signal}.pb"
        path.write_bytes(message.SerializeToString(deterministic=True))
        sys.stdout.write(f"{path.name}: {path.stat().st_size} bytes of {len(bodies)} requests\n")
    sink.shutdown()
    model.shutdown()


def scrub(message: Message) -> None:
    """Replace this machine's paths in every text."""
    if isinstance(message, AnyValue) and message.HasField("string_value"):
        message.string_value = message.string_value.replace(str(run.VENVS), "/venvs").replace(str(run.ROOT), "/app")
    for field, value in message.ListFields():
        if field.message_type is not None:
            for item in value if field.is_repeated else (value,):
                scrub(item)


if __name__ == "__main__":
    record("phoenix", run.phoenix)
    record("genai", run.genai)
    record("genai_events", lambda sink, model: run.genai(sink, model, "EVENT_ONLY"))
