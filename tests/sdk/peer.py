"""Servers on loopback that fail in every way a server can: raw sockets, the true protocol, and a record of what came."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

LINGER_NONE = struct.pack("ii", 1, 0)
"""Close with a reset, not a goodbye."""


@dataclass
class Request:
    """What a client sent."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def told(self) -> Any:
        """An OTLP request."""
        body = gzip.decompress(self.body) if self.headers.get("content-encoding") == "gzip" else self.body
        return ExportTraceServiceRequest.FromString(body)

    @property
    def spans(self) -> list[Any]:
        """The spans of an OTLP request."""
        return [span for one in self.told.resource_spans for scope in one.scope_spans for span in scope.spans]

    @property
    def services(self) -> set[str]:
        """The names of the services that an OTLP request is from."""
        attributes = [told for one in self.told.resource_spans for told in one.resource.attributes]
        return {one.value.string_value for one in attributes if one.key == "service.name"}

    @property
    def score(self) -> Any:
        """The score of a score's request."""
        return json.loads(self.body)


class Connection:
    """One connection, as the server has it."""

    def __init__(self, peer: Peer, sock: socket.socket) -> None:
        self.peer = peer
        self.sock = sock
        self._unread = b""

    def head(self) -> tuple[str, dict[str, str]] | None:
        """Read a request's head; None where the client has gone."""
        while b"\r\n\r\n" not in self._unread:
            came = self.sock.recv(1 << 16)
            if not came:
                return None
            self._unread += came
        head, _, self._unread = self._unread.partition(b"\r\n\r\n")
        line, *rest = head.decode("latin-1").split("\r\n")
        return line, {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in rest)}

    def request(self) -> Request | None:
        """Read a whole request, and note it."""
        head = self.head()
        if head is None:
            return None
        line, headers = head
        size = int(headers.get("content-length", "0"))
        while len(self._unread) < size:
            came = self.sock.recv(1 << 16)
            if not came:
                return None
            self._unread += came
        made = Request(line, headers, self._unread[:size])
        self._unread = self._unread[size:]
        self.peer.took(made)
        return made

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.sock.sendall(data)

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        """Send an answer."""
        told = "".join([f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items()])
        head = f"HTTP/1.1 {status} Said\r\nContent-Length: {len(body)}\r\n{told}\r\n"
        self.peer.answered += 1
        self.send(head.encode() + body)

    def reset(self) -> None:
        """Break the connection off."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NONE)
        self.sock.close()

    def hang(self) -> None:
        """Say nothing until the peer is closed."""
        self.peer.holding.set()
        self.peer.over.wait(120)


Script = Callable[[Connection], None]
"""What the server does with a connection."""


class Peer:
    """A server that does with each connection as its script says; `with` starts and stops it.

    Args:
        script: the same for every connection; may be replaced on the way.
        tls: makes it an HTTPS server.
        port: 0 for any.
    """

    def __init__(self, script: Script, *, tls: ssl.SSLContext | None = None, port: int = 0) -> None:
        self.script = script
        self.requests: list[Request] = []
        self.answered = 0
        self.accepted = 0
        self.read = 0
        """Bytes, where a script counts them."""
        self.done = False
        """A script that takes its time came to its end."""
        self.holding = threading.Event()
        """Somebody waits for our answer."""
        self.came = threading.Condition()
        self.over = threading.Event()
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", port))
        self._connections: list[socket.socket] = []
        self.port = int(self._listener.getsockname()[1])
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()

    def hang_up(self) -> None:
        """Close all connections."""
        for one in self._connections:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def took(self, request: Request) -> None:
        """Note a request."""
        with self.came:
            self.requests.append(request)
            self.came.notify_all()

    def await_requests(self, count: int) -> None:
        """Wait until so many came."""
        with self.came:
            assert self.came.wait_for(lambda: len(self.requests) >= count, 60), f"{len(self.requests)} came"

    @property
    def span_ids(self) -> list[str]:
        """The ids of all spans that came, in order, resends included."""
        return [span.span_id.hex() for one in self.requests if "/v1/traces" in one.line for span in one.spans]

    def _accept(self) -> None:
        while not self.over.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            self._connections.append(sock)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        try:
            if self._tls is not None:
                sock = self._tls.wrap_socket(sock, server_side=True)
            self.script(Connection(self, sock))
        except OSError:  # the client left, as it may
            pass
        finally:
            sock.close()


def says(status: int, body: bytes = b"", **headers: str) -> Script:
    """Answer every request alike."""

    def script(connection: Connection) -> None:
        while connection.request() is not None:
            connection.answer(status, body, **headers)

    return script


def says_and_closes(status: int) -> Script:
    """Answer, say that the connection closes, and close it."""

    def script(connection: Connection) -> None:
        if connection.request() is not None:
            connection.answer(status, Connection="close")

    return script


def answers_once(connection: Connection) -> None:
    """Answer the first request of a connection, and hang at the next."""
    connection.request()
    connection.answer(200)
    connection.request()
    connection.hang()


def rejecting(count: int, why: str = "") -> Script:
    """Take batches and say that so many of their spans were not stored."""
    partial = ExportTracePartialSuccess(rejected_spans=count, error_message=why)
    return says(200, ExportTraceServiceResponse(partial_success=partial).SerializeToString())


def never_reads(connection: Connection) -> None:
    """Accept and do nothing."""
    connection.hang()


def never_answers(connection: Connection) -> None:
    """Read the request and do nothing."""
    connection.request()
    connection.hang()


def drips(connection: Connection, pause: float = 1) -> None:
    """Answer a byte a second."""
    connection.request()
    connection.peer.holding.set()
    for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-More: " + b"x" * 1_000:
        connection.send(bytes([byte]))
        if connection.peer.over.wait(pause):
            return
    connection.peer.done = True


def drips_fast(connection: Connection) -> None:
    """Answer so that each byte comes before anybody's patience ends, in half a minute."""
    drips(connection, 0.03)


def reads_slowly(connection: Connection) -> None:
    """Read about 10 MB a second, as long as anything comes: enough that no single write waits for long."""
    for turn in itertools.count(1):
        came = connection.sock.recv(1 << 16)
        connection.peer.read += len(came)
        if not came or (turn % 32 == 0 and connection.peer.over.wait(0.05)):
            return


def resets_midway(connection: Connection) -> None:
    """Read the head, and break off."""
    connection.head()
    connection.reset()


def resets_in_answer(connection: Connection) -> None:
    """Read the request, promise an answer, and break off."""
    connection.request()
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
    connection.reset()


def endless(connection: Connection) -> None:
    """Answer 200, and then never stop."""
    connection.request()
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\n\r\n")
    while not connection.peer.over.is_set():
        connection.send(b"x" * (1 << 14))


def speaks_no_http(connection: Connection) -> None:
    """Answer as another service would."""
    connection.request()
    connection.send(b"220 mail.example.com ESMTP\r\n")


def takes_few(most: int) -> Script:
    """Find requests of more than so many spans too large."""

    def script(connection: Connection) -> None:
        while (request := connection.request()) is not None:
            connection.answer(413 if len(request.spans) > most else 200)

    return script
