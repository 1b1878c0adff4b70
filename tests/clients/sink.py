"""A server that keeps what clients send, and says of each thing that it is fine."""

from __future__ import annotations

import base64
import gzip
import json
import threading
import zlib
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from google.protobuf.json_format import ParseDict
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

KINDS: dict[str, type[Message]] = {
    "traces": ExportTraceServiceRequest, "logs": ExportLogsServiceRequest, "metrics": ExportMetricsServiceRequest,
}  # fmt: skip
IDS = {"traceId", "spanId", "parentSpanId"}
PROJECT = {"id": "weather-bot", "name": "weather-bot", "metadata": {}, "organization": {"id": "o", "name": "o"}}
HELICONES = dict.fromkeys(("/v1/trace/log", "/v1/trace/log-python"), "/v1/traces")
"""Where Helicone takes spans."""
ANSWERS: dict[str, Any] = {
    "/api/public/projects": {"data": [PROJECT]},
    "/api/public/health": {"status": "OK", "version": "3.0.0"},
    "/api/public/ingestion": {"successes": [], "errors": []},
    "/v1/info": {"project_name": "weather-bot", "project_url": "http://127.0.0.1/weather-bot"},
}
"""What is answered where a client looks at the answer; everything else is answered with an empty object."""


class Sink(ThreadingHTTPServer):
    """`bodies` holds OTLP requests as protobuf by signal, `calls` every other request that brought something."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.bodies: dict[str, list[bytes]] = defaultdict(list)
        self.calls: list[dict[str, Any]] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Return its address."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Sink
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Keep a body."""
        body, path = self._body(), urlsplit(self.path).path
        path = HELICONES.get(path, path)
        signal = path.rpartition("/")[2]
        binary = "protobuf" in self.headers.get("Content-Type", "")
        if signal in KINDS and f"/v1/{signal}" in path:
            self.server.bodies[signal].append(body if binary else from_json(signal, body))
            self._answer(b"" if binary else b"{}", "application/x-protobuf" if binary else "application/json")
            return
        told = {name: value for name, value in self.headers.items() if name.lower().startswith("helicone-")}
        self.server.calls.append(
            {"method": self.command, "path": path, "body": _told(body)} | ({"headers": told} if told else {})
        )
        self._answer(json.dumps(ANSWERS.get(path, {})).encode())

    do_PUT = do_POST  # noqa: N815 - the base class names them
    do_PATCH = do_POST  # noqa: N815 - the same

    def do_GET(self) -> None:
        """Answer with as little as a client is content with."""
        self._answer(json.dumps(ANSWERS.get(urlsplit(self.path).path, {})).encode())

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            pieces = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                pieces.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            body = b"".join(pieces)
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        match self.headers.get("Content-Encoding"):
            case "gzip":
                return gzip.decompress(body)
            case "deflate":
                return zlib.decompress(body)
            case _:
                return body

    def _answer(self, body: bytes, kind: str = "application/json") -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Say nothing."""


def from_json(signal: str, body: bytes) -> bytes:
    """Write OTLP/JSON, whose ids are hex, as protobuf."""
    message = KINDS[signal]()
    ParseDict(_ids(json.loads(body)), message, ignore_unknown_fields=True)
    return message.SerializeToString()


def _ids(tree: Any) -> Any:
    if isinstance(tree, list):
        return [_ids(one) for one in tree]
    if not isinstance(tree, dict):
        return tree
    return {
        key: base64.b64encode(bytes.fromhex(one)).decode() if key in IDS and isinstance(one, str) else _ids(one)
        for key, one in tree.items()
    }


def _told(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return base64.b64encode(body).decode()
