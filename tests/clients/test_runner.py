"""What reads, runs and records the real clients."""

from __future__ import annotations

import gzip
import json
from http.client import HTTPConnection
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.clients import run
from tests.clients.client import Client, Setup, read, setups, versions
from tests.clients.sink import Sink, from_json

WELL = """
title = "A client"
language = "python"
packages = ["a"]
documentation = "https://example.org"
command = ["true"]
"""
SENT = {"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "ab" * 16, "spanId": "cd" * 8, "name": "a"}]}]}]}


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ("colour = 1", "colour"), ("[variants.a]\nenv = {}", "env"), ("[environment]\nA = 1", "environment"),
        ('[[differs]]\ncall = "ask"', "field"), ("[environment", "end of a table"),
    ],
)  # fmt: skip
def test_a_wrong_description_is_refused(tmp_path: Path, wrong: str, word: str) -> None:
    """A client.toml with a key or a value that is none is refused, with its path and what is wrong."""
    path = tmp_path / "client.toml"
    path.write_text(WELL + wrong)

    with pytest.raises(ValueError, match=word) as raised:
        read(path)
    assert str(path) in str(raised.value)


def test_an_unknown_placeholder_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A placeholder that nobody fills in is named, not passed on."""
    client = Client(
        title="a", language="python", packages=(), documentation="", command=("true",), environment={"A": "{colector}"}
    )
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / ".done").touch()
    monkeypatch.setattr(run, "VENVS", tmp_path)

    with pytest.raises(AssertionError, match=r"a/client\.toml.*\{colector\}"):
        run.run(Setup("a", client), run.Place("http://127.0.0.1:1"), run.Providers("", "", "", ""))


def test_a_client_that_is_not_installed_is_named() -> None:
    """A client without its packages says which line installs them."""
    with pytest.raises(AssertionError, match=r"tests\.clients\.install none"):
        run.home("none")


@pytest.mark.parametrize("folder", sorted({one.folder for one in setups().values()}))
def test_a_lock_holds_what_a_client_is_about(folder: str) -> None:
    """Each package that a client is about is pinned in its lock."""
    assert all(version[0].isdigit() for version in versions(folder).values())


@pytest.mark.parametrize("chunked", [True, False])
def test_the_sink_keeps_every_kind_of_body(chunked: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Compressed, chunked, at Langfuse's path or as JSON: what is kept is the protobuf message."""
    sink = Sink()
    body = ExportTraceServiceRequest.FromString(from_json("traces", json.dumps(SENT).encode())).SerializeToString()
    connection = HTTPConnection("127.0.0.1", sink.server_address[1])
    zipped = gzip.compress(body)
    headers = {"Content-Type": "application/x-protobuf", "Content-Encoding": "gzip"}
    connection.request(
        "POST", "/api/public/otel/v1/traces", iter([zipped[:5], zipped[5:]]) if chunked else zipped, headers,
        encode_chunked=chunked,
    )  # fmt: skip
    assert connection.getresponse().read() == b""
    connection.request("POST", "/v1/traces", json.dumps(SENT), {"Content-Type": "application/json"})
    assert connection.getresponse().read() == b"{}"
    connection.request("POST", "/api/public/scores", '{"value": 1}', {"Content-Type": "application/json"})
    assert connection.getresponse().read() == b"{}"
    sink.shutdown()

    assert sink.bodies == {"traces": [body, body]}
    assert sink.calls == [{"method": "POST", "path": "/api/public/scores", "body": {"value": 1}}]
