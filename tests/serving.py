"""A real server in a process of its own, on a free port, with projects and keys if asked for."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from watchkeeper.store.control.keys import Scope
from watchkeeper.store.factory import open_control_store


@dataclass
class Served:
    """A server of our own. `keys` holds a secret for each project that was asked for."""

    url: str
    process: subprocess.Popen[bytes]
    keys: dict[str, str] = field(default_factory=dict)
    trust: ssl.SSLContext | None = None
    grpc_port: int = 0

    def call(
        self, path: str, body: bytes | None = None, project: str | None = None, **headers: str
    ) -> tuple[int, bytes, dict[str, str]]:
        """Send one request, as the project's key if given; return status, body and headers."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if project is not None:
            sent["Authorization"] = f"Bearer {self.keys[project]}"
        try:
            with urlopen(Request(self.url + path, body, sent), timeout=60, context=self.trust) as answer:
                return answer.status, answer.read(), dict(answer.headers)
        except HTTPError as error:
            with error:
                return error.code, error.read(), dict(error.headers)

    def export(self, message: Any, project: str | None = None) -> None:
        """Send an OTLP trace export; 200 means durable."""
        status, body, _ = self.call(
            "/v1/traces", message.SerializeToString(), project, Content_Type="application/x-protobuf"
        )
        assert status == 200, body

    def sql(self, text: str, project: str | None = None) -> tuple[int, dict[str, Any]]:
        """Run user SQL through the API; return the status and the answer."""
        body = json.dumps({"sql": text}).encode()
        status, answer, _ = self.call("/api/v1/query", body, project, Content_Type="application/json")
        found: dict[str, Any] = json.loads(answer)
        return status, found


def free_port() -> int:
    """Return a port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(
    folder: Path, *, projects: tuple[str, ...] = (), environ: Mapping[str, str] | None = None,
    prefix: tuple[str, ...] = (), grpc: bool = False, trust: Path | None = None,
    scopes: tuple[Scope, ...] = ("ingest", "read"),
) -> Iterator[Served]:  # fmt: skip
    """Start a server in the folder and stop it again; `prefix` is a command to run it under, `trust` whose TLS it is."""
    keys = {project: f"sk-{project}-0123456789abcdef" for project in projects}
    if keys:
        control = open_control_store(folder / "data")
        for project, secret in keys.items():
            control.ensure_project(project)
            control.keys.create(project, scopes, pair=(f"pk-{project}", secret))
        control.close()
    port = free_port()
    command = [*prefix, sys.executable, "-m", "watchkeeper.cli", "serve", "--host", "127.0.0.1", "--port", str(port)]
    grpc_port = free_port() if grpc else 0
    command += ["--grpc-port", str(grpc_port), "--data-dir", str(folder / "data")]
    log = folder / "server.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=out, env={**os.environ, "HOME": str(folder), **(environ or {})}
        )
    context = None if trust is None else ssl.create_default_context(cafile=str(trust))
    scheme = "http" if context is None else "https"
    served = Served(f"{scheme}://127.0.0.1:{port}", process, keys, context, grpc_port)
    try:
        wait_until(lambda: served.call("/readyz")[0] == 200, process, log)
        yield served
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(30)


def wait_until(holds: Any, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait up to a minute for something to hold; an OSError means not yet."""
    for _ in range(600):
        if process.poll() is not None:
            break
        try:
            if holds():
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"it did not come up:\n{log.read_text(errors='replace')[-4_000:]}")
