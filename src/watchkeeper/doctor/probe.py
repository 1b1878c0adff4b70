"""Asking an address, once, directly: no proxy, no retry, and never a name that has to be looked up unless told to."""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple, TypeAlias
from urllib.parse import urlsplit

__all__ = ["Answer", "Trouble", "ask", "is_loopback", "port_of", "speaks"]

Trouble: TypeAlias = Literal["refused", "silent", "not-http", "certificate", "no-tls", "unreachable"]
Protocol: TypeAlias = Literal["http", "http2", "tls", "silent", "refused"]
_PATIENCE = 3.0
_MOST = 1 << 20
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
_SETTINGS = 4
_FRAME_TYPE = 3


class Answer(NamedTuple):
    """What came of a request: a status, or the trouble that stood in its way. Times in seconds since 1970."""

    status: int = 0
    body: bytes = b""
    headers: Mapping[str, str] = {}
    trouble: Trouble | None = None
    detail: str = ""
    sent: float = 0.0
    received: float = 0.0


def is_loopback(url: str) -> bool:
    """Say whether an address stands for this machine, by its text alone: looking a name up would ask the network."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def port_of(url: str) -> int:
    """Return the port of an http address."""
    told = urlsplit(url)
    return told.port or (443 if told.scheme == "https" else 80)


def ask(
    url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None, *, certificate: str | None = None,
    timeout: float = _PATIENCE, now: Callable[[], float] = time.time,
) -> Answer:  # fmt: skip
    """Send one request (POST where there is a body) and return what came of it. Never raises."""
    told = urlsplit(url)
    path = (told.path or "/") + (f"?{told.query}" if told.query else "")
    sent = now()
    try:
        connection = _connection(url, certificate, timeout)
        try:
            connection.request("GET" if body is None else "POST", path, body, dict(headers or {}))
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, answer.read(_MOST), found, sent=sent, received=now())
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Answer(trouble=_trouble(error), detail=str(error), sent=sent, received=now())


def speaks(host: str, port: int, *, timeout: float = _PATIENCE) -> Protocol:
    """Say what a port speaks: HTTP/1, HTTP/2 without TLS (gRPC), TLS, or nothing that it would tell."""
    try:
        with socket.create_connection((host, port), timeout) as plain:
            plain.sendall(_PREFACE)
            first = plain.recv(16)
    except ConnectionRefusedError:
        return "refused"
    except OSError:
        first = b""
    if first.startswith(b"HTTP/1"):
        return "http"
    if len(first) > _FRAME_TYPE and first[_FRAME_TYPE] == _SETTINGS and first[0] == 0:
        return "http2"
    return "tls" if _shakes_hands(host, port, timeout) else "silent"


def _shakes_hands(host: str, port: int, timeout: float) -> bool:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # whose certificate it is does not matter: nothing is sent
    try:
        with socket.create_connection((host, port), timeout) as plain, context.wrap_socket(plain):
            return True
    except OSError:
        return False


def _connection(url: str, certificate: str | None, timeout: float) -> http.client.HTTPConnection:
    told = urlsplit(url)
    host = told.hostname or ""
    if told.scheme == "https":
        context = ssl.create_default_context(cafile=certificate)
        return http.client.HTTPSConnection(host, told.port, timeout=timeout, context=context)
    return http.client.HTTPConnection(host, told.port, timeout=timeout)


def _trouble(error: Exception) -> Trouble:
    if isinstance(error, ssl.SSLCertVerificationError):
        return "certificate"
    if isinstance(error, ssl.SSLError):
        return "no-tls"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, TimeoutError):
        return "silent"
    if isinstance(error, http.client.HTTPException | ConnectionResetError | ValueError):
        return "not-http"
    return "unreachable"
