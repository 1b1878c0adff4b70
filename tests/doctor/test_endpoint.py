"""WKD4xx: addresses that do not lead to a server, for every way they can be wrong."""

from __future__ import annotations

import http.server
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.doctor.conftest import bad, bending, found, look
from tests.serving import Served, free_port
from watchkeeper.doctor.client import client_of
from watchkeeper.kit.settings import ForeignSettings, SdkSettings, read
from watchkeeper.sdk.runtime import _sender


def _grpc_port(folder: Path, server: Served) -> int:
    told = look(folder, {"WATCHKEEPER_GRPC_PORT": "4317"}, url=server.url)
    return int(found(told, "WKD110").where.rpartition(":")[2])


def test_nobody_there(tmp_path: Path) -> None:
    """An address that was configured and is dead fails as infrastructure; the default one only warns."""
    dead = f"http://127.0.0.1:{free_port()}"
    report = look(tmp_path / "new", {"WATCHKEEPER_ENDPOINT": dead})

    assert found(report, "WKD401").where.startswith(f"WATCHKEEPER_ENDPOINT={dead}")
    assert report.exit_code == 103


def test_the_wrong_path_is_corrected(served: tuple[Served, Path]) -> None:
    """A trace endpoint without its path, and a base with the path, are told what to say instead."""
    server, folder = served
    bare = found(look(folder, {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": server.url}), "WKD404")
    doubled = found(look(folder, {"OTEL_EXPORTER_OTLP_ENDPOINT": f"{server.url}/v1/traces"}), "WKD404")

    assert bare.mend == f"export OTEL_EXPORTER_OTLP_TRACES_ENDPOINT={server.url}/v1/traces"
    assert doubled.mend == f"export OTEL_EXPORTER_OTLP_ENDPOINT={server.url}"


def test_http_sent_to_the_grpc_port(served: tuple[Served, Path]) -> None:
    """An address that is the gRPC port is known as such."""
    server, folder = served
    report = look(folder, {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{_grpc_port(folder, server)}"})

    assert found(report, "WKD405")


def test_grpc_sent_to_the_http_port(served: tuple[Served, Path]) -> None:
    """The protocol grpc with the HTTP port fails, with the gRPC port it is well."""
    server, folder = served
    told = {"OTEL_EXPORTER_OTLP_ENDPOINT": server.url, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    right = {**told, "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{_grpc_port(folder, server)}"}

    assert found(look(folder, told), "WKD406")
    assert found(look(folder, right), "WKD400")


def test_https_said_for_http(served: tuple[Served, Path]) -> None:
    """https to a port that speaks http is told to say http."""
    server, folder = served
    told = found(look(folder, {"WATCHKEEPER_ENDPOINT": server.url.replace("http:", "https:")}), "WKD407")

    assert told.mend == f"export WATCHKEEPER_ENDPOINT={server.url}"


@contextmanager
def _over_tls(folder: Path) -> Iterator[int]:
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost -addext"
    openssl = shutil.which("openssl")
    assert openssl is not None
    subprocess.run(
        [openssl, *words.split(), "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_http_said_for_https_and_a_certificate_nobody_trusts(tmp_path: Path) -> None:
    """http to a TLS port is told to say https; a certificate that is not trusted is named, and trusted once named."""
    with _over_tls(tmp_path) as port:
        plain = look(tmp_path / "new", {"WATCHKEEPER_ENDPOINT": f"http://127.0.0.1:{port}"})
        secure = {"WATCHKEEPER_ENDPOINT": f"https://127.0.0.1:{port}"}
        untrusted = look(tmp_path / "new", secure)
        trusted = look(tmp_path / "new", {**secure, "OTEL_EXPORTER_OTLP_CERTIFICATE": str(tmp_path / "cert.pem")})

    assert found(plain, "WKD408").mend == f"export WATCHKEEPER_ENDPOINT=https://127.0.0.1:{port}"
    assert found(untrusted, "WKD409")
    assert found(trusted, "WKD403")  # a file server, not ours


def test_a_stranger_is_no_watchkeeper(served: tuple[Served, Path], tmp_path: Path) -> None:
    """Another HTTP server at the address is said to be one; a port that never answers is said to be silent."""

    def other(_path: str, _headers: dict[str, str], _body: bytes) -> bytes:
        return b"<h1>It works!</h1>"

    with bending(served[0].url, other) as url:
        stranger = look(tmp_path / "new", url=url)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        silent = look(tmp_path / "new", url=f"http://127.0.0.1:{mute.getsockname()[1]}")

    assert found(stranger, "WKD403")
    assert found(silent, "WKD413")


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_a_proxy_that_catches_loopback_is_named(served: tuple[Served, Path], name: str) -> None:
    """A proxy variable without NO_PROXY is a warning; doctor itself goes around it; with NO_PROXY all is well."""
    server, folder = served
    told = {name: "http://127.0.0.1:9", "WATCHKEEPER_ENDPOINT": server.url}
    caught = look(folder, told)

    assert found(caught, "WKD410").mend == "export NO_PROXY=127.0.0.1,localhost,::1"
    assert found(caught, "WKD400")
    assert "WKD410" not in bad(look(folder, {**told, "NO_PROXY": "127.0.0.1,localhost,::1"}))


@pytest.mark.parametrize("address", ["127.0.0.1:7070", "ftp://127.0.0.1", "http://", "http://127.0.0.1:port"])
def test_what_is_no_address_is_said_to_be_none(tmp_path: Path, address: str) -> None:
    """An address without http or host, or with a port that is none, fails and names its variable."""
    report = look(tmp_path / "new", {"WATCHKEEPER_ENDPOINT": address})

    assert found(report, "WKD411").where.startswith("WATCHKEEPER_ENDPOINT=")


def test_a_server_elsewhere_is_left_alone(tmp_path: Path) -> None:
    """A server that is not on this machine is not asked unless that was said, and is so with a key untried."""
    report = look(tmp_path / "new", {"WATCHKEEPER_ENDPOINT": "https://watchkeeper.example"})

    assert bad(report) == {"WKD412"}


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"WATCHKEEPER_ENDPOINT": "http://a:1/", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://b:2/x"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a:1/base"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a:1", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://b:2/x"},
    ],
)
def test_it_sends_where_the_sdk_sends(told: dict[str, str]) -> None:
    """What doctor takes for the SDK's address is the SDK's own, variable for variable."""
    settings = read(SdkSettings, told)
    client = client_of(settings, read(ForeignSettings, told))
    base = (settings.endpoint or settings.otlp_endpoint or "http://127.0.0.1:7070").rstrip("/")
    wire = _sender(settings, base, None)._wire

    assert client.traces_url == f"http://{wire._host}:{wire._port}{wire._path}"
