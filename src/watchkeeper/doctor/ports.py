"""WKD1xx: can the server listen where it is told to?"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator

from watchkeeper.doctor.findings import Finding, Rule
from watchkeeper.doctor.probe import ask, is_loopback, port_of
from watchkeeper.doctor.processes import listener
from watchkeeper.doctor.scene import Scene

__all__ = ["RULES", "check"]

DEFAULT_GRPC_PORT = 4317

HTTP_OK = Rule("WKD100", "ok", "HTTP port", "The port is free, or this data folder's own server has it.")
HTTP_TAKEN = Rule(
    "WKD101", "fail", "HTTP port", "Another program listens on the HTTP port.",
    "watchkeeper serve --port PORT, or stop that program", "config",
)  # fmt: skip
HTTP_OTHER = Rule(
    "WKD102", "warn", "HTTP port", "Another Watchkeeper, of another data folder, listens on the HTTP port.",
    "watchkeeper serve --port PORT, or name its folder with --data-dir", "config",
)  # fmt: skip
HTTP_DENIED = Rule(
    "WKD103", "fail", "HTTP port", "This user may not open the HTTP port, or the address is not this machine's.",
    "watchkeeper serve --host 127.0.0.1 --port 7070", "config",
)  # fmt: skip
GRPC_OK = Rule("WKD110", "ok", "gRPC port", "The port is free, our own server has it, or gRPC is not asked for.")
GRPC_SKIPPED = Rule(
    "WKD111", "warn", "gRPC port", "Another program has the default OTLP/gRPC port: only HTTP is served.",
    "watchkeeper serve --grpc-port PORT, or 0 for none", "config",
)  # fmt: skip
GRPC_TAKEN = Rule(
    "WKD112", "fail", "gRPC port", "The OTLP/gRPC port that was asked for cannot be had.",
    "watchkeeper serve --grpc-port PORT, or 0 for none", "config",
)  # fmt: skip
OPEN_WITHOUT_KEY = Rule(
    "WKD121", "fail", "listening address", "It would listen beyond loopback without a key, and refuses to.",
    "export WATCHKEEPER_SECRET_KEY=sk-$(python3 -c 'import secrets; print(secrets.token_urlsafe(24))')", "config",
)  # fmt: skip
RULES = (
    HTTP_OK, HTTP_TAKEN, HTTP_OTHER, HTTP_DENIED, GRPC_OK, GRPC_SKIPPED, GRPC_TAKEN, OPEN_WITHOUT_KEY,
)  # fmt: skip


def check(scene: Scene) -> Iterator[Finding]:
    """Look at the HTTP port, the gRPC port and the listening address."""
    yield _http(scene)
    yield _grpc(scene)
    settings = scene.server
    if not is_loopback(_url(settings.host, settings.port)) and not settings.secret_key:
        yield OPEN_WITHOUT_KEY.found(f"WATCHKEEPER_HOST={settings.host}")


def _http(scene: Scene) -> Finding:
    host, port = scene.server.host, scene.server.port
    where = f"{host}:{port}"
    if scene.running is not None:
        return HTTP_OK.found(scene.running, "this folder's server listens")
    trouble = occupied(host, port)
    if trouble is None:
        return HTTP_OK.found(where, "free")
    if trouble != errno.EADDRINUSE:
        return HTTP_DENIED.found(where, f"cannot listen: {errno.errorcode.get(trouble, trouble)}")
    holder = listener(port)
    if _is_watchkeeper(host, port):
        return HTTP_OTHER.found(where, f"a Watchkeeper of another data folder has it: {holder or 'unknown process'}")
    mend = f"watchkeeper serve --port {free_near(host, port)}"
    if holder is None:
        return HTTP_TAKEN.found(where, "taken; the process is another user's", f"{mend}; sudo ss -ltnp names it")
    return HTTP_TAKEN.found(where, f"taken by {holder}", f"{mend}, or kill {holder.pid}")


def _grpc(scene: Scene) -> Finding:
    asked = scene.server.grpc_port
    port = DEFAULT_GRPC_PORT if asked is None else asked
    where = f"{scene.server.host}:{port}"
    if asked == 0:
        return GRPC_OK.found("WATCHKEEPER_GRPC_PORT", "not asked for")
    status = scene.own_status
    if status is not None and status.get("grpc_port") is not None:
        return GRPC_OK.found(f"{scene.server.host}:{status['grpc_port']}", "this folder's server listens")
    holder = listener(port)
    if occupied(scene.server.host, port) is None:
        return GRPC_OK.found(where, "free")
    if scene.running is not None and holder is not None and holder == listener(port_of(scene.running)):
        return GRPC_OK.found(where, "this folder's server listens")  # it tells its state only to who may read
    who = f"taken by {holder or 'a process of another user'}"
    mend = f"watchkeeper serve --grpc-port {free_near(scene.server.host, port)}, or 0 for none"
    return (GRPC_SKIPPED if asked is None else GRPC_TAKEN).found(where, who, mend)


def occupied(host: str, port: int) -> int | None:
    """Return why the server could not listen there (an errno), None where it could. Opens nothing to the outside."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.errno or errno.EINVAL
    return None


def free_near(host: str, port: int) -> int:
    """Return the next port upwards that is free, 0 (any) where none of the next hundred is."""
    return next((one for one in range(port + 1, min(port + 100, 65_536)) if occupied(host, one) is None), 0)


def _is_watchkeeper(host: str, port: int) -> bool:
    url = _url({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port)  # noqa: S104 - compared, not bound
    return (
        is_loopback(url)
        and ask(f"{url}/healthz").body.strip() == b"ok"
        and b'"format_version"' in ask(f"{url}/api/v1/openapi.json").body
    )


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
