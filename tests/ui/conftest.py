"""A running server, spans to feed it, and a browser to look at it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import Status, StatusCode, Tracer, set_span_in_context
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect, sync_playwright

expect.set_options(timeout=20_000)  # a busy machine is no failure

CHROMIUM = shutil.which("chromium")
STATIC = Path(__file__).parents[2] / "src/watchkeeper/server/static/index.html"
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip

MS = 1_000_000
MODEL = "gpt-4o-mini"


@dataclass
class Server:
    """A server of our own."""

    url: str
    clock: int = field(default_factory=lambda: time.time_ns() - 60_000 * MS)

    def api(self, path: str) -> Any:
        """Read one answer of the API."""
        with urlopen(f"{self.url}/api/v1{path}", timeout=30) as answer:
            return json.load(answer)


@contextmanager
def running(folder: Path, **environ: str) -> Iterator[Server]:
    """Start a server on a free port and stop it again; settings by their variables."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = folder / "server.log"
    command = [sys.executable, "-m", "watchkeeper.cli", "serve", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--grpc-port", "0", "--data-dir", str(folder / "data")]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=os.environ | {"HOME": str(folder)} | environ)
    try:
        _wait_until_ready(port, process, log)
        yield Server(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_until_ready(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        if process.poll() is not None:
            break
        try:
            with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"the server did not come up:\n{log.read_text()}")


@contextmanager
def tracing(server: Server, service: str) -> Iterator[Tracer]:
    """Give a tracer that exports to the server as any OpenTelemetry app does."""
    provider = TracerProvider(resource=Resource.create({"service.name": service}), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(endpoint=f"{server.url}/v1/traces")))
    yield provider.get_tracer("tests")
    provider.shutdown()


def message(role: str, text: str) -> dict[str, Any]:
    """Return one message as OTel writes it."""
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def send(  # noqa: PLR0917 - each is a thing a test asks for
    server: Server,
    question: str,
    answer: str | None,
    service: str = "support-bot",
    user: str = "ada",
    model: str = MODEL,
    took_ms: int = 1500,
    error: str | None = None,
    name: str = "answer question",
) -> str:
    """Send a trace of an agent that retrieves and chats; return its id."""
    with tracing(server, service) as tracer:
        start = server.clock
        server.clock += 2 * took_ms * MS
        facts = {"user.id": user, "session.id": f"session-{user}"}
        output = {} if answer is None else {"gen_ai.output.messages": json.dumps([message("assistant", answer)])}
        asked = {"gen_ai.input.messages": json.dumps([message("user", question)])}
        root = tracer.start_span(
            name, start_time=start, attributes={"gen_ai.operation.name": "invoke_agent", **facts, **asked, **output}
        )
        inside = set_span_in_context(root)
        tool = tracer.start_span(
            "execute_tool look_up", inside, start_time=start + 5 * MS,
            attributes={"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "look_up"},
        )  # fmt: skip
        tool.end(end_time=start + 45 * MS)
        call = tracer.start_span(
            f"chat {model}", inside, start_time=start + 50 * MS,
            attributes={
                "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": model,
                "gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 200,
                "gen_ai.input.messages": json.dumps([message("system", "Be brief."), message("user", question)]),
                **output, **facts,
            },
        )  # fmt: skip
        for span in (call, root):
            if error is not None:
                span.set_status(Status(StatusCode.ERROR, error))
                span.set_attribute("error.type", "RateLimitError")
            span.end(end_time=start + took_ms * MS)
        return f"{root.get_span_context().trace_id:032x}"


@dataclass
class Seen:
    """What a page asked for and complained about."""

    foreign: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


Look = Callable[..., tuple[Page, Seen]]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, driven by Playwright."""
    if CHROMIUM is None:
        pytest.fail("chromium is not installed: apt-get install chromium")
    if not STATIC.is_file():
        pytest.fail("the page is not built: python hatch_build.py")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def look(browser: Browser) -> Iterator[Look]:
    """Open a page of a server and note what it asks for and complains about."""
    contexts: list[BrowserContext] = []

    def open_page(server: Server, path: str, **options: Any) -> tuple[Page, Seen]:
        context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, "color_scheme": "dark", **options})
        contexts.append(context)
        page, seen = context.new_page(), Seen()
        page.set_default_timeout(20_000)

        def asked(request: Request) -> None:
            if not request.url.startswith((f"{server.url}/", "data:")):
                seen.foreign.append(request.url)

        def said(line: ConsoleMessage) -> None:
            if line.type in {"error", "warning"}:
                seen.complaints.append(line.text)

        page.on("request", asked)
        page.on("console", said)
        page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        page.goto(server.url + path)
        return page, seen

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Server]:
    """A server that has seen nothing."""
    with running(tmp_path) as server:
        yield server


AXE = Path(__file__).parents[2] / "ui/node_modules/axe-core/axe.min.js"


def unreachable(page: Page) -> list[str]:
    """Return what axe-core finds seriously wrong for people who cannot see or point: rule, and where."""
    if not AXE.is_file():
        pytest.fail("axe-core is not installed: npm --prefix ui ci")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{rule['id']}: {node['target']} {node['failureSummary']}"
        for rule in found["violations"]
        if rule["impact"] in {"serious", "critical"}
        for node in rule["nodes"]
    ]
