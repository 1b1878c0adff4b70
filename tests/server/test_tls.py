"""The server's own TLS."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

import grpc
import pytest
import trustme
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

from tests.cli.conftest import run
from tests.otlp import request, span
from tests.serving import serving
from watchkeeper.kit.errors import ConfigError
from watchkeeper.kit.settings import ServerSettings
from watchkeeper.server.tls import Tls


def certificate(folder: Path, name: str) -> tuple[Path, Path, Path]:
    """Write a certificate for 127.0.0.1, its key, and its authority's certificate."""
    cert, key, ca = (folder / f"{name}.{end}" for end in ("pem", "key", "ca"))
    authority = trustme.CA()
    authority.cert_pem.write_to_path(ca)
    made = authority.issue_cert("127.0.0.1")
    made.cert_chain_pems[0].write_to_path(cert)
    made.private_key_pem.write_to_path(key)
    return cert, key, ca


def test_half_a_pair_is_refused(tmp_path: Path) -> None:
    """A certificate without its key, a key of another certificate and a file that is not there are refused by name."""
    cert, _, _ = certificate(tmp_path, "one")
    _, other, _ = certificate(tmp_path, "two")

    with pytest.raises(ConfigError, match="WATCHKEEPER_TLS_KEY"):
        Tls.of(ServerSettings(tls_cert=cert))
    with pytest.raises(ConfigError, match="no certificate and its key"):
        Tls.of(ServerSettings(tls_cert=cert, tls_key=other))
    with pytest.raises(ConfigError, match=r"none\.key cannot be read"):
        Tls.of(ServerSettings(tls_cert=cert, tls_key=tmp_path / "none.key"))


def test_http_grpc_and_the_command_line_speak_tls(tmp_path: Path) -> None:
    """With a certificate both ports speak TLS only, and a verb on the machine believes that certificate alone."""
    cert, key, ca = certificate(tmp_path, "one")
    environ = {"WATCHKEEPER_TLS_CERT": str(cert), "WATCHKEEPER_TLS_KEY": str(key)}
    with serving(tmp_path, environ=environ, trust=ca, grpc=True) as served:
        plain = urllib.request.Request(served.url.replace("https", "http") + "/healthz")
        with pytest.raises(OSError, match=r".*"):
            urllib.request.urlopen(plain, timeout=10).read()
        assert served.call("/healthz")[0] == 200
        trusted = grpc.ssl_channel_credentials(ca.read_bytes())
        with grpc.secure_channel(f"127.0.0.1:{served.grpc_port}", trusted) as channel:
            trace_service_pb2_grpc.TraceServiceStub(channel).Export(
                trace_service_pb2.ExportTraceServiceRequest.FromString(request(span()).SerializeToString()), timeout=20
            )
        told = run("sql", "select count(*) as n from spans", "--json", "--data-dir", str(tmp_path / "data"))

    assert json.loads(told.stdout)["rows"] == [[1]]
