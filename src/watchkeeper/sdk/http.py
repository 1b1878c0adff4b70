"""One connection to the server, kept open, and no patience: every request has an end, whatever the server does.

Nothing but the standard library: a guest brings no HTTP client into someone else's process.
"""

from __future__ import annotations

import base64
import functools
import http.client
import io
import logging
import os
import socket
import ssl
import time
import urllib.parse
import urllib.request
import zlib
from collections.abc import Mapping
from typing import Any, NamedTuple

__all__ = ["Answer", "Tls", "Wire"]

_log = logging.getLogger("watchkeeper")
_MOST_READ = 1 << 16
"""Bytes of an answer that are read before the connection is dropped."""
_LONGEST_PAUSE = 30.0
_MOST_IDLE = 20.0
"""Seconds after which a kept connection is not trusted: the host may have been frozen, or a gateway have forgotten it."""
_OK = range(200, 300)
_AGAIN = frozenset({408, 429, 502, 503, 504})


class Answer(NamedTuple):
    """What came of a request."""

    status: int
    """0: none came."""
    body: bytes = b""
    """At most 64 KiB of it."""
    pause: float | None = None
    """Seconds the server asks to be left alone, at most 30."""

    @property
    def taken(self) -> bool:
        """Whether the server took it."""
        return self.status in _OK

    @property
    def again(self) -> bool:
        """Whether it is worth sending once more."""
        return self.status == 0 or self.status in _AGAIN


class Tls(NamedTuple):
    """Files that TLS is done with, where the machine's own trust is not enough."""

    certificate: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None


class Wire:
    """A client of one address. Not for several threads at once.

    Args:
        url: where to post.
        headers: sent with each request.
        compress: gzip, level 1: the last per cents cost more than they save.
        tls: certificates.
    """

    def __init__(self, url: str, headers: Mapping[str, str], *, compress: bool, tls: Tls | None = None) -> None:
        told = urllib.parse.urlsplit(url)
        self._secure = told.scheme == "https"
        self._host, self._port = told.hostname or "", told.port
        self._path = (told.path or "/") + (f"?{told.query}" if told.query else "")
        self._headers = {**headers, "User-Agent": "watchkeeper-python"}
        if told.username:
            word = f"{urllib.parse.unquote(told.username)}:{urllib.parse.unquote(told.password or '')}"
            self._headers.setdefault("Authorization", "Basic " + base64.b64encode(word.encode()).decode())
        self._compress = compress
        self._tls = tls or Tls()
        self._proxy = _proxy(told.scheme, self._host)
        self._kept: http.client.HTTPConnection | None = None
        self._used = 0.0
        """When the connection was last used, by the wall clock: the monotonic one stands still in a suspended machine."""

    def post(self, body: bytes, timeout: float) -> Answer:
        """Post a body within `timeout` seconds; status 0 where no answer came. Never raises."""
        end = time.monotonic() + timeout
        headers = dict(self._headers)
        if self._compress:
            packer = zlib.compressobj(1, wbits=31)
            body = packer.compress(body) + packer.flush()
            headers["Content-Encoding"] = "gzip"
        if abs(time.time() - self._used) > _MOST_IDLE:
            self.close()
        used = self._kept is not None and self._kept.sock is not None
        answer = self._try(body, headers, end)
        if used and answer is None and time.monotonic() < end:  # an idle connection may have been closed meanwhile
            answer = self._try(body, headers, end)
        return answer or Answer(0)

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.close()

    def forget(self) -> None:
        """Let go of the connection without a word: after a fork it is the parent's."""
        kept, self._kept = self._kept, None
        held = kept.sock if kept is not None else None
        if held is not None and held.fileno() >= 0:
            os.close(held.detach())  # no goodbye, which TLS would send in the parent's name

    def _try(self, body: bytes, headers: dict[str, str], end: float) -> Answer | None:
        try:
            if self._kept is None or self._kept.sock is None:  # None: the last answer closed it
                self._kept = self._open(end)
            return self._ask(self._kept, body, headers, end)
        except Exception:
            _log.debug("no answer from the server", exc_info=True)
            self.close()
            return None

    def _open(self, end: float) -> http.client.HTTPConnection:
        wait = max(0.05, end - time.monotonic())
        host, port, tunnel = self._host, self._port, False
        if self._proxy is not None:
            host, port, tunnel = *self._proxy[:2], self._secure
        made: http.client.HTTPConnection
        if self._secure:
            made = http.client.HTTPSConnection(host, port, timeout=wait, context=self._context())
        else:
            made = http.client.HTTPConnection(host, port, timeout=wait)
        made.response_class = functools.partial(_Response, end)  # type: ignore[assignment]  # makes one, as a class does
        if tunnel and self._proxy is not None:
            made.set_tunnel(self._host, self._port, self._proxy[2])
        made.connect()
        made.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def _ask(self, kept: http.client.HTTPConnection, body: bytes, headers: dict[str, str], end: float) -> Answer:
        path = self._path
        if self._proxy is not None and not self._secure:
            path = f"http://{self._host}{f':{self._port}' if self._port else ''}{path}"
            headers = {**headers, **self._proxy[2], "Host": self._host + (f":{self._port}" if self._port else "")}
        kept.sock.settimeout(max(0.05, end - time.monotonic()))
        kept.response_class = functools.partial(_Response, end)  # type: ignore[assignment]  # makes one, as a class does
        kept.request("POST", path, body, headers)
        answer = kept.getresponse()
        self._used = time.time()
        try:
            told = answer.read(_MOST_READ)
            whole = answer.isclosed() or answer.read(1) == b""
        finally:
            answer.close()
        if not whole:
            self.close()
        return Answer(answer.status, told, _pause(answer.headers.get("Retry-After")))

    def _context(self) -> ssl.SSLContext:
        made = ssl.create_default_context(cafile=self._tls.certificate)
        if self._tls.client_certificate:
            made.load_cert_chain(self._tls.client_certificate, self._tls.client_key)
        return made


class _Response(http.client.HTTPResponse):
    """An answer read against one deadline: a byte now and then does not buy the sender more time."""

    def __init__(self, end: float, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        self.fp = io.BufferedReader(_Watched(sock, end))


class _Watched(io.RawIOBase):
    def __init__(self, sock: socket.socket, end: float) -> None:
        self._sock = sock
        self._inner = sock.makefile("rb", 0)  # holds the socket open when the connection lets go of it first
        self._end = end

    def readable(self) -> bool:
        """Say so."""
        return True

    def readinto(self, into: Any) -> int | None:
        """Read what there is."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer took too long")
        self._sock.settimeout(left)
        return self._inner.readinto(into)

    def close(self) -> None:
        """Let go of the socket."""
        self._inner.close()
        super().close()


def _proxy(scheme: str, host: str) -> tuple[str, int | None, dict[str, str]] | None:
    """Return the host, port and headers of the proxy that the environment names, as all of Python's clients read it."""
    told = urllib.request.getproxies().get(scheme)
    if not told or urllib.request.proxy_bypass(host) or host in {"localhost", "127.0.0.1", "::1"}:
        return None
    found = urllib.parse.urlsplit(told if "://" in told else f"http://{told}")
    headers: dict[str, str] = {}
    if found.username:
        word = f"{urllib.parse.unquote(found.username)}:{urllib.parse.unquote(found.password or '')}"
        headers["Proxy-Authorization"] = "Basic " + base64.b64encode(word.encode()).decode()
    return (found.hostname, found.port, headers) if found.hostname else None


def _pause(told: str | None) -> float | None:
    """Read Retry-After, in seconds; a date, a negative number or nonsense is no answer."""
    try:
        return min(_LONGEST_PAUSE, max(0.0, float(told))) if told else None
    except ValueError:
        return None
