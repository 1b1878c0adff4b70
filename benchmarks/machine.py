"""What the numbers were measured on, and small helpers to start and watch a server."""

from __future__ import annotations

import contextlib
import os
import platform
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]


def describe() -> str:
    """Return one line: cores, processor, memory, Python and the parts that matter."""
    parts = ", ".join(f"{name} {version(name)}" for name in ("watchkeeper", "duckdb", "pyarrow", "uvicorn"))
    memory = psutil.virtual_memory().total / 2**30
    return f"{os.cpu_count()} cores ({_processor()}), {memory:.0f} GiB, Python {platform.python_version()}, {parts}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def free_port() -> int:
    """Return a port nobody listens on now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@dataclass
class Server:
    """A server under test."""

    name: str
    url: str
    process: psutil.Process
    ready_seconds: float

    def rss_mib(self) -> float:
        """Return resident memory, children included, in MiB."""
        family = [self.process, *self.process.children(recursive=True)]
        return sum(one.memory_info().rss for one in family) / 2**20

    def cpu_seconds(self) -> float:
        """Return processor time used so far, children included."""
        family = [self.process, *self.process.children(recursive=True)]
        return sum(sum(one.cpu_times()[:2]) for one in family)


@contextlib.contextmanager
def started(
    name: str, command: list[str], url: str, ready: str, environ: dict[str, str], log: Path
) -> Iterator[Server]:
    """Run a server until the block ends; `ready` is the path that answers 200 when it is up."""
    begun = time.perf_counter()
    with log.open("wb") as sink:
        child = subprocess.Popen(command, env={**os.environ, **environ}, stdout=sink, stderr=sink)
        try:
            _wait(child, url + ready, log)
            yield Server(name, url, psutil.Process(child.pid), time.perf_counter() - begun)
        finally:
            child.terminate()
            try:
                child.wait(30)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def _wait(child: subprocess.Popen[bytes], url: str, log: Path) -> None:
    end = time.monotonic() + 180
    while time.monotonic() < end:
        if child.poll() is not None:
            raise RuntimeError(f"the server ended with {child.returncode}:\n{log.read_text()[-2000:]}")
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)
    raise RuntimeError(f"no answer from {url}")


@contextlib.contextmanager
def watchkeeper(folder: Path, *, grpc_port: int = 0) -> Iterator[Server]:
    """Run our server on a folder."""
    port = free_port()
    command = [sys.executable, "-m", "watchkeeper.cli", "serve", "--port", str(port), "--grpc-port", str(grpc_port)]
    command += ["--data-dir", str(folder)]
    url = f"http://127.0.0.1:{port}"
    with started("Watchkeeper", command, url, "/readyz", {}, folder.with_suffix(".log")) as server:
        yield server


PHOENIX_VENV = ROOT / ".venv-bench-phoenix"
PHOENIX = "arize-phoenix==20.26.1"


def install_peer(where: Path, *wanted: str) -> None:
    """Install into an environment of its own, once: the mark says that it was finished."""
    mark = where / ".finished"
    if mark.exists():
        return
    print(f"installing {' '.join(wanted)} for comparison", flush=True)
    subprocess.run([sys.executable, "-m", "venv", str(where)], check=True)
    subprocess.run([str(where / "bin" / "python"), "-m", "pip", "install", "-q", *wanted], check=True)
    mark.touch()


def install_phoenix() -> None:
    """Install the peer in an environment of its own, once."""
    install_peer(PHOENIX_VENV, PHOENIX)


MLFLOW_VENV = ROOT / ".venv-bench-mlflow"
MLFLOW = "mlflow==3.17.2"


def install_mlflow() -> None:
    """Install the peer in an environment of its own, once."""
    install_peer(MLFLOW_VENV, MLFLOW)


@contextlib.contextmanager
def mlflow(folder: Path) -> Iterator[Server]:
    """Run MLflow on a folder, SQLite, its own defaults, without its telemetry."""
    port = free_port()
    folder.mkdir(parents=True, exist_ok=True)
    environ = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
    command = [str(MLFLOW_VENV / "bin" / "mlflow"), "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}", "--artifacts-destination", str(folder)]
    url = f"http://127.0.0.1:{port}"
    with started("MLflow", command, url, "/health", environ, folder.with_suffix(".log")) as server:
        yield server


@contextlib.contextmanager
def phoenix(folder: Path) -> Iterator[Server]:
    """Run Phoenix on a folder, SQLite, without its telemetry."""
    port, grpc_port = free_port(), free_port()
    environ = {
        "PHOENIX_PORT": str(port), "PHOENIX_GRPC_PORT": str(grpc_port), "PHOENIX_HOST": "127.0.0.1",
        "PHOENIX_WORKING_DIR": str(folder), "PHOENIX_TELEMETRY_ENABLED": "false",
        "PHOENIX_ALLOW_EXTERNAL_RESOURCES": "false",
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    command = [str(PHOENIX_VENV / "bin" / "phoenix"), "serve"]
    with started(
        "Phoenix", command, f"http://127.0.0.1:{port}", "/readyz", environ, folder.with_suffix(".log")
    ) as server:
        yield server
