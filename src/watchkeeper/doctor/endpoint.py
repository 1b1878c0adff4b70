"""WKD4xx: does what an application here would send arrive at a Watchkeeper?"""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from urllib.parse import urlsplit

from watchkeeper.doctor.client import TRACES
from watchkeeper.doctor.findings import Finding, Rule
from watchkeeper.doctor.probe import Answer, ask, is_loopback, port_of, speaks
from watchkeeper.doctor.scene import Scene

__all__ = ["RULES", "check"]

_OK, _UNKNOWN, _FORBIDDEN = 200, 401, 403

REACHED = Rule("WKD400", "ok", "endpoint", "A Watchkeeper answers, and takes spans at the path that is used.")
NOBODY = Rule(
    "WKD401", "fail", "endpoint", "Nobody listens at the configured address.",
    "watchkeeper serve, or correct the variable named",
)  # fmt: skip
NOT_STARTED = Rule(
    "WKD402", "warn", "endpoint", "No server runs at the default address, and no other is configured.",
    "watchkeeper serve",
)  # fmt: skip
NOT_OURS = Rule(
    "WKD403", "fail", "endpoint", "Something answers at the address that is no Watchkeeper.",
    "export WATCHKEEPER_ENDPOINT=http://127.0.0.1:7070", "config",
)  # fmt: skip
WRONG_PATH = Rule(
    "WKD404", "fail", "endpoint", "The server is right and the path is not: spans are taken at /v1/traces.",
    "export OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://HOST:PORT/v1/traces", "config",
)  # fmt: skip
GRPC_PORT = Rule(
    "WKD405", "fail", "endpoint", "The address is a gRPC port, and what is sent is HTTP.",
    "export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:7070", "config",
)  # fmt: skip
GRPC_PROTOCOL = Rule(
    "WKD406", "fail", "endpoint", "The address is an HTTP port, and the protocol configured is gRPC.",
    "export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf, or name the gRPC port (4317)", "config",
)  # fmt: skip
NO_TLS = Rule(
    "WKD407", "fail", "endpoint", "The address says https, and the port speaks http.",
    "write http:// in the variable named", "config",
)  # fmt: skip
TLS = Rule(
    "WKD408", "fail", "endpoint", "The address says http, and the port speaks TLS.",
    "write https:// in the variable named", "config",
)  # fmt: skip
CERTIFICATE = Rule(
    "WKD409", "fail", "endpoint", "The server's certificate is not trusted here.",
    "export OTEL_EXPORTER_OTLP_CERTIFICATE=/path/to/ca.pem", "config",
)  # fmt: skip
PROXY = Rule(
    "WKD410", "warn", "endpoint",
    "A proxy variable catches the server's loopback address: OTel's exporters and HTTP clients send to the proxy.",
    "export NO_PROXY=127.0.0.1,localhost,::1", "config",
)  # fmt: skip
INVALID = Rule(
    "WKD411", "fail", "endpoint", "The address is not one of http or https.",
    "export WATCHKEEPER_ENDPOINT=http://127.0.0.1:7070", "config",
)  # fmt: skip
BEYOND = Rule(
    "WKD412", "warn", "endpoint", "The server is not on this machine, and was therefore not asked.",
    "watchkeeper doctor --remote", "config",
)  # fmt: skip
SILENT = Rule(
    "WKD413", "fail", "endpoint", "The address takes connections, or swallows them, and does not answer in 3 seconds.",
    "restart what listens there",
)  # fmt: skip
RULES = (
    REACHED, NOBODY, NOT_STARTED, NOT_OURS, WRONG_PATH, GRPC_PORT, GRPC_PROTOCOL, NO_TLS, TLS, CERTIFICATE, PROXY,
    INVALID, BEYOND, SILENT,
)  # fmt: skip


def check(scene: Scene) -> Iterator[Finding]:
    """Ask the configured address, look closely at what it says, and at what would stand in between."""
    client = scene.client
    yield _reached(scene)
    if is_loopback(client.base):
        yield from _proxies(scene)


def _reached(scene: Scene) -> Finding:
    client = scene.client
    where = f"{client.source}={client.traces_url}" if client.source else client.base
    if not client.valid:
        return INVALID.found(where)
    if scene.health is None:
        return BEYOND.found(where)
    if client.protocol == "grpc":
        return _grpc(scene, where)
    if not scene.is_ours:
        return _stranger(scene, where, scene.health)
    answer = ask(client.traces_url, b"", {"Content-Type": "application/x-protobuf", **client.read_headers})
    if answer.status in {_OK, _UNKNOWN, _FORBIDDEN}:
        return REACHED.found(where, "a Watchkeeper takes spans there")
    return WRONG_PATH.found(
        where, f"it answers {answer.status or answer.trouble} where spans are sent", _correct_path(scene)
    )


def _correct_path(scene: Scene) -> str:
    client = scene.client
    origin = f"{urlsplit(client.base).scheme}://{urlsplit(client.base).netloc}"
    if client.source == "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT":
        return f"export OTEL_EXPORTER_OTLP_TRACES_ENDPOINT={origin}{TRACES}"
    return f"export {client.source or 'WATCHKEEPER_ENDPOINT'}={origin}"


def _grpc(scene: Scene, where: str) -> Finding:
    told = urlsplit(scene.client.base)
    spoken = speaks(told.hostname or "", port_of(scene.client.base))
    if spoken == "http2":
        return REACHED.found(where, "the port speaks gRPC, as OTEL_EXPORTER_OTLP_PROTOCOL says")
    if spoken == "http":
        return GRPC_PROTOCOL.found(where)
    return NOBODY.found(where) if spoken == "refused" else SILENT.found(where)


def _stranger(scene: Scene, where: str, answer: Answer) -> Finding:
    """Say what it is that did not answer as a Watchkeeper."""
    source = scene.client.source
    if answer.trouble == "refused":
        return NOBODY.found(where) if source else NOT_STARTED.found(where)
    if answer.trouble == "certificate":
        return CERTIFICATE.found(where, answer.detail)
    mixed = _mixed_up(scene, where)
    if mixed is not None:
        return mixed
    if answer.trouble is not None:
        return SILENT.found(where, answer.detail or answer.trouble)
    told = urlsplit(scene.client.base)
    root = f"{told.scheme}://{told.netloc}"
    if told.path.strip("/") and ask(f"{root}/healthz", certificate=scene.client.certificate).body.strip() == b"ok":
        return WRONG_PATH.found(where, f"a Watchkeeper answers at {root}, not under {told.path}", _correct_path(scene))
    return NOT_OURS.found(where, f"its /healthz answers {answer.status}")


def _mixed_up(scene: Scene, where: str) -> Finding | None:
    """Find http said for https, the reverse, or HTTP sent to a gRPC port."""
    told = urlsplit(scene.client.base)
    source = scene.client.source or "WATCHKEEPER_ENDPOINT"
    spoken = speaks(told.hostname or "", port_of(scene.client.base))
    if spoken == "http2":
        return GRPC_PORT.found(where)
    if told.scheme == "https" and spoken == "http":
        return NO_TLS.found(where, mend=f"export {source}=http://{told.netloc}")
    if told.scheme == "http" and spoken == "tls":
        return TLS.found(where, mend=f"export {source}=https://{told.netloc}")
    return None


def _proxies(scene: Scene) -> Iterator[Finding]:
    told = urlsplit(scene.client.base)
    host = told.hostname or ""
    low = {name.lower(): value for name, value in sorted(scene.environ.items()) if value}
    wanted = (f"{told.scheme}_proxy", "all_proxy")
    named = next((name for name in wanted if name in low), None)
    if named is None or urllib.request.proxy_bypass_environment(host, {"no": low.get("no_proxy", "")}):  # type: ignore[attr-defined]
        return
    yield PROXY.found(named.upper(), f"catches {scene.client.base}", _no_proxy(low.get("no_proxy", "")))


def _no_proxy(told: str) -> str:
    parts = [one for one in (told, "127.0.0.1", "localhost", "::1") if one]
    return f"export NO_PROXY={','.join(parts)}"
