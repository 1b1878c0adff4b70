"""The demo: server, local model and support bot as children of this process, all of them gone when it ends."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import FrameType

from watchkeeper.demo.model import ensure_model
from watchkeeper.demo.progress import Progress
from watchkeeper.kit.errors import ConfigError, MissingExtraError, UpstreamError
from watchkeeper.kit.settings import environment

__all__ = ["DemoOptions", "run"]

PRICES = Path(__file__).parent / "prices.toml"
_START_SECONDS = 120
_QUESTION = "select model, count(*), sum(cost_nano_usd)/1e9 as usd from spans group by model"


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What the demo can be told."""

    host: str = "127.0.0.1"
    port: int = 7070
    model: Path | None = None
    data_dir: Path | None = None
    seconds: float | None = None


def run(options: DemoOptions, say: Progress) -> None:
    """Run until Ctrl-C or SIGTERM, or for `options.seconds` once everything is up.

    Raises:
        MissingExtraError: the demo's packages are not installed.
        ConfigError: the port is taken, or the model cannot be read.
        UpstreamError: the model cannot be downloaded, or a part did not come up.
    """
    if find_spec("xllamacpp") is None or find_spec("openai") is None:
        raise MissingExtraError("the demo", "server,demo")
    _check_port(options.host, options.port)
    model = ensure_model(options.model, say)
    with contextlib.ExitStack() as stack:
        stop = stack.enter_context(_signals())
        folder = options.data_dir or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="watchkeeper-demo-")))
        folder.mkdir(parents=True, exist_ok=True)
        url = f"http://{options.host}:{options.port}"
        engine_port = _free_port()
        say.step("starting the server and loading the model")
        server = stack.enter_context(_child(_server_command(options, folder), folder / "server.log"))
        engine = stack.enter_context(
            _child(["-m", "watchkeeper.demo.engine", str(model), str(engine_port)], folder / "engine.log")
        )
        _wait("the server", f"{url}/readyz", server, folder / "server.log", stop)
        _wait("the model", f"http://127.0.0.1:{engine_port}/health", engine, folder / "engine.log", stop)
        if stop.is_set():
            return
        say.done(f"dashboard    {url}")
        say.step("asking the support bot its first question (a small model on your processor: some seconds)")
        command = ["-m", "watchkeeper.demo.support_bot", url, f"http://127.0.0.1:{engine_port}/v1"]
        bot = stack.enter_context(_child(command, folder / "bot.log", stdout=subprocess.PIPE))
        _talk(bot, url, folder, say, stop)
        _rest(options, {"server": server, "model": engine, "bot": bot}, say, stop)


def _server_command(options: DemoOptions, folder: Path) -> list[str]:
    command = ["-m", "watchkeeper.cli", "serve", "--host", options.host, "--port", str(options.port)]
    return [*command, "--data-dir", str(folder)]


def _talk(bot: subprocess.Popen[str], url: str, folder: Path, say: Progress, stop: threading.Event) -> None:
    lines: list[str] = []

    def read() -> None:
        lines.extend(bot.stdout or ())

    threading.Thread(target=read, daemon=True).start()
    end = time.monotonic() + _START_SECONDS
    while not lines and not stop.is_set():
        if bot.poll() is not None or time.monotonic() > end:
            raise UpstreamError(f"the support bot did not answer: {_tail(folder / 'bot.log')}")
        stop.wait(0.1)
    if not lines:
        return
    say.done(f"first trace  {url}/traces/{json.loads(lines[0])['trace_id']}")
    say.step("try next:")
    say.step(f'  watchkeeper sql --url {url} "{_QUESTION}"')
    say.step(f"  curl -s {url}/metrics | grep ^watchkeeper_llm_")
    say.step(
        f'  your own app: import watchkeeper as wk; wk.init(service="my-app", endpoint="{url}"); wk.wrap(OpenAI())'
    )
    say.step("the cost shown is an example rate for the local model; Ctrl-C stops everything")


def _rest(options: DemoOptions, parts: dict[str, subprocess.Popen[str]], say: Progress, stop: threading.Event) -> None:
    end = None if options.seconds is None else time.monotonic() + options.seconds
    while not stop.wait(0.2):
        for name, child in parts.items():
            if child.poll() is not None:
                raise UpstreamError(f"the {name} ended by itself with {child.returncode}")
        if end is not None and time.monotonic() >= end:
            break
    say.step("stopping")


@contextlib.contextmanager
def _signals() -> Iterator[threading.Event]:
    stop = threading.Event()

    def on_signal(_: int, __: FrameType | None) -> None:
        stop.set()

    before: dict[signal.Signals, Callable[[int, FrameType | None], object] | int | None] = {}
    for number in (signal.SIGINT, signal.SIGTERM):
        before[number] = signal.signal(number, on_signal)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _child(arguments: list[str], log: Path, stdout: int | None = None) -> Iterator[subprocess.Popen[str]]:
    environ = {**environment(), "WATCHKEEPER_PRICES": str(PRICES), "PYTHONUNBUFFERED": "1"}
    with log.open("w") as sink:
        # A session of its own: Ctrl-C reaches this process alone, which then stops its children in order.
        child = subprocess.Popen(  # noqa: S603 - our own words
            [sys.executable, *arguments],
            env=environ,
            stdout=stdout or sink,
            stderr=sink,
            text=True,
            start_new_session=True,
        )
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(15)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        if child.stdout is not None:
            child.stdout.close()


def _wait(what: str, url: str, child: subprocess.Popen[str], log: Path, stop: threading.Event) -> None:
    end = time.monotonic() + _START_SECONDS
    while not stop.is_set():
        if child.poll() is not None:
            raise UpstreamError(f"{what} ended with {child.returncode}: {_tail(log)}")
        if time.monotonic() > end:
            raise UpstreamError(f"{what} did not come up within {_START_SECONDS} s: {_tail(log)}")
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=2):  # noqa: S310 - loopback
            return
        stop.wait(0.1)


def _tail(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1][:300] if lines else "it said nothing"


def _check_port(host: str, port: int) -> None:
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((host, port))
        except OSError:
            raise ConfigError(f"port {port} on {host} is taken", hint="choose another with --port") from None


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
