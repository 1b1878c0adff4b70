"""The command line, run as a person runs it, and a server on a folder of the test's own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.otlp import request, span

COMMAND = (sys.executable, "-m", "watchkeeper.cli")


def run(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run one verb to its end."""
    return subprocess.run(
        [*COMMAND, *words],
        capture_output=True,
        text=True,
        env={**os.environ, "NO_COLOR": "1", **environ},
        timeout=120,
        check=False,
    )


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Path, subprocess.Popen[str]]]:
    """Run a server on a folder of the test's own."""
    folder = tmp_path / "data"
    words = [*COMMAND, "serve", "--port", "0", "--grpc-port", "0", "--data-dir", str(folder)]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env={**os.environ, "NO_COLOR": "1"}) as child:
        assert child.stderr is not None
        url = next(line.split()[-1] for line in child.stderr if "dashboard" in line)
        yield url, folder, child
        child.send_signal(signal.SIGTERM)
        child.stderr.read()
        child.wait(30)


def export(url: str) -> None:
    """Send one span."""
    body = request(span()).SerializeToString()
    headers = {"Content-Type": "application/x-protobuf"}
    with urllib.request.urlopen(urllib.request.Request(f"{url}/v1/traces", body, headers), timeout=30) as answer:
        assert answer.status == 200
