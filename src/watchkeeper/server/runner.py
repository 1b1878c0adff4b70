"""Runs the app: takes the folder, opens the ports, serves HTTP and gRPC on one loop, drains on the way out."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import logging
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from watchkeeper.kit.errors import ConfigError
from watchkeeper.kit.settings import ServerSettings
from watchkeeper.server.app import create_app
from watchkeeper.server.gate import is_loopback
from watchkeeper.server.lockfile import FolderLock
from watchkeeper.server.otlp.grpc import GrpcServer
from watchkeeper.server.tls import Tls
from watchkeeper.server.wiring import Services, assemble
from watchkeeper.store.control.secrets import new_token

__all__ = ["DEFAULT_GRPC_PORT", "Running", "serve"]

DEFAULT_GRPC_PORT = 4317
_log = logging.getLogger("watchkeeper.server")


@dataclass(frozen=True, slots=True)
class Running:
    """Where the server can be reached. `warning` says what could not be had."""

    url: str
    grpc_port: int | None
    folder: Path
    warning: str | None


def serve(settings: ServerSettings, on_ready: Callable[[Running], None]) -> None:
    """Serve until SIGINT or SIGTERM; everything acknowledged is on disk when it returns.

    Raises:
        ConfigError: the port is taken, or a wider address than loopback is asked for without a key.
        StoreLockedError: another server holds the folder.
    """
    folder = settings.folder()
    tls = Tls.of(settings)
    sock = _listen(settings.host, settings.port)
    with sock, FolderLock(folder) as lock:
        url = _url(settings.host, sock.getsockname()[1], secure=tls is not None)
        proof = new_token()
        services = assemble(settings, folder, proof=proof)
        _check_authentication(settings, services)
        lock.announce(url, proof, None if tls is None else tls.cert)
        services.status.endpoint = url
        with _quiet_signals(), asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_serve(settings, services, sock, url, tls, on_ready))


def _check_authentication(settings: ServerSettings, services: Services) -> None:
    """Refuse a wider address than loopback while nobody could prove who they are."""
    control = services.control
    if is_loopback(settings.host) or settings.secret_key:
        return
    if control.keys.any_live() or control.people.any_can_sign_in():
        return
    services.close()
    raise ConfigError(
        f"refusing to listen on {settings.host} without authentication",
        hint="make a key first (watchkeeper keys create), set WATCHKEEPER_BOOTSTRAP_PUBLIC_KEY and _SECRET_KEY, "
        "or listen on 127.0.0.1",
    )


@contextlib.contextmanager
def _quiet_signals() -> Iterator[None]:
    """Let uvicorn act on SIGINT and SIGTERM, and keep it from raising them again once it has drained.

    Raised again they would end the process before the folder's lock is let go, with a signal for an exit code.
    """
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda *_: None) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


async def _serve(
    settings: ServerSettings, services: Services, sock: socket.socket, url: str, tls: Tls | None,
    on_ready: Callable[[Running], None],
) -> None:  # fmt: skip
    config = uvicorn.Config(
        create_app(services), log_level="warning", access_log=False, lifespan="on", http="httptools",
        server_header=False, timeout_graceful_shutdown=10, **_proxies(settings), **(tls.for_uvicorn() if tls is not None else {}),
    )  # fmt: skip
    server = _Server(config)
    grpc = GrpcServer(services.ingest, services.gate, services.max_body, tls)
    try:
        services.status.grpc_port, warning = await _start_grpc(grpc, settings)
    except ConfigError:
        services.close()
        raise
    server.when_started = lambda: on_ready(Running(url, services.status.grpc_port, settings.folder(), warning))
    server.before_close = lambda: grpc.stop(5)
    await server.serve(sockets=[sock])


def _proxies(settings: ServerSettings) -> dict[str, Any]:
    """Believe X-Forwarded-* from the named proxies only; uvicorn's own default believes every loopback caller."""
    if not settings.trusted_proxies:
        return {"proxy_headers": False}
    return {"proxy_headers": True, "forwarded_allow_ips": settings.trusted_proxies}


class _Server(uvicorn.Server):
    """uvicorn, with gRPC stopped before the app closes its services."""

    when_started: Callable[[], None]
    before_close: Callable[[], Awaitable[None]]

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            # What is loaded by now stays: the collector walked it again and again under load (about 7 us of CPU a span).
            gc.freeze()
            self.when_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self.before_close()
        await super().shutdown(sockets=sockets)


async def _start_grpc(grpc: GrpcServer, settings: ServerSettings) -> tuple[int | None, str | None]:
    if settings.grpc_port == 0:
        return None, None
    wanted = settings.grpc_port or DEFAULT_GRPC_PORT
    try:
        return await grpc.start(settings.host, wanted), None
    except RuntimeError:
        if settings.grpc_port is not None:
            raise ConfigError(
                f"gRPC port {wanted} is taken", hint="choose another with --grpc-port, or 0 for none"
            ) from None
        return None, f"port {wanted} is taken: no OTLP over gRPC (HTTP works; --grpc-port chooses another)"


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        if error.errno == errno.EADDRINUSE:
            raise ConfigError(f"port {port} on {host} is taken", hint="choose another with --port") from None
        raise ConfigError(f"cannot listen on {host}:{port}: {error.strerror or error}") from None
    return sock


def _url(host: str, port: int, *, secure: bool) -> str:
    name = {"0.0.0.0": "127.0.0.1", "::": "127.0.0.1"}.get(host, host)  # noqa: S104 - compared, not bound
    scheme = "https" if secure else "http"
    return f"{scheme}://[{name}]:{port}" if ":" in name else f"{scheme}://{name}:{port}"


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop
    except ImportError:
        _log.debug("uvloop is not here; using asyncio's own loop")
        return asyncio.new_event_loop
    return uvloop.new_event_loop
