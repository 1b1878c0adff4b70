"""A real server, examined in this process with an environment of the test's own; and a proxy that bends the truth."""

from __future__ import annotations

import http.client
import http.server
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.serving import Served, free_port, serving
from watchkeeper.doctor import Finding, Report, examine

Bend = Callable[[str, dict[str, str], bytes], bytes]
"""(path, headers to change in place, body) to the body that is passed on."""


def look(folder: Path, environ: Mapping[str, str] | None = None, **how: Any) -> Report:
    """Examine a folder, on ports that are free unless the environment says otherwise."""
    told = {"WATCHKEEPER_PORT": str(free_port()), "WATCHKEEPER_GRPC_PORT": "0", **(environ or {})}
    return examine(data_dir=folder, environ=told, **how)


def found(report: Report, rule: str) -> Finding:
    """Return the one finding of a rule."""
    told = [one for one in report.findings if one.id == rule]
    assert len(told) == 1, [(one.id, one.what, one.where) for one in report.findings]
    return told[0]


def bad(report: Report) -> set[str]:
    """Return the ids of what is not well, without the clock of the machine that runs the test."""
    return {one.id for one in report.findings if one.severity != "ok"} - {"WKD211"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Path]]:
    """A real server with one project's key, HTTP and gRPC, and its data folder."""
    folder = tmp_path_factory.mktemp("served")
    with serving(folder, projects=("shop",), grpc=True) as server:
        (folder / "data").chmod(0o700)
        yield server, folder / "data"


@contextmanager
def bending(server: str, bend: Bend, **headers: str) -> Iterator[str]:
    """Stand before a server on loopback and pass everything on, with more headers, the answers bent."""
    more = {name.replace("_", "-"): value for name, value in headers.items()}

    class _Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            there = http.client.HTTPConnection(server.removeprefix("http://"))
            sent = {name: value for name, value in self.headers.items() if name.lower() != "host"} | more
            there.request(self.command, self.path, body, sent)
            answer = there.getresponse()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            told = bend(self.path, headers, answer.read())
            there.close()
            headers["content-length"] = str(len(told))
            self.send_response_only(answer.status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(told)

        do_GET = do_POST = _pass  # noqa: N815 - http.server names them

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
            """Say nothing."""

    proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=proxy.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{proxy.server_port}"
    finally:
        proxy.shutdown()
        thread.join()
        proxy.server_close()
