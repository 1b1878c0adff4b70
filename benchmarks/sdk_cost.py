"""What a traced OpenAI call costs over a bare one: ours and the peers', each in processes of its own."""

from __future__ import annotations

import contextlib
import http.server
import json
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

from openai import OpenAI
from openai.types.chat import ChatCompletion
from tests.fake_openai import completion, message_of

import watchkeeper as wk
from benchmarks.machine import ROOT, install_peer

OWN = 1_200
ROUNDS = 3
CALLS = 1_000
PEERS_VENV = ROOT / ".venv-bench-sdk"
PEERS = (
    "langfuse==5.0.4", "openinference-instrumentation-openai==0.1.66", "logfire==5.4.0",
    "opentelemetry-instrumentation-openai==0.62.4", "opentelemetry-exporter-otlp-proto-http==1.45.2", "openai==3.57.0",
)  # fmt: skip
MESSAGES: list[Any] = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "word " * 200}]


class Sink(http.server.BaseHTTPRequestHandler):
    """Takes exports and throws them away."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """Answer 200."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Say nothing."""


def own_work() -> float:
    """Time a call whose HTTP request is taken away, wrapped less bare: our work on the caller's thread, milliseconds."""
    answer = ChatCompletion.model_validate(completion(message_of({})))
    bare: Any = OpenAI(api_key="x")
    wrapped: Any = OpenAI(api_key="x")
    for client in (bare, wrapped):
        client.post = lambda *_, **__: answer
    wk.wrap(wrapped)
    before = wk.stats().spans_sent
    times: dict[int, list[float]] = {id(bare): [], id(wrapped): []}
    for _ in range(OWN):
        for client in (bare, wrapped):
            begun = time.perf_counter()
            client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES)
            times[id(client)].append((time.perf_counter() - begun) * 1e3)
    wk.flush()
    if wk.stats().spans_sent - before != OWN:
        raise RuntimeError("the calls were not traced: there is nothing to measure")
    return statistics.median(times[id(wrapped)]) - statistics.median(times[id(bare)])


def main() -> list[str]:
    """Measure and return the table as Markdown lines."""
    install_peers()
    with _running("-c", "import benchmarks.sdk_cost as s; s.serve_sink()") as port:
        sink = f"http://127.0.0.1:{port}"
        with _running("-m", "tests.fake_openai") as fake:
            runs = [
                {name: _one(python, name, sink, f"http://127.0.0.1:{fake}/v1") for name, python in _all().items()}
                for _ in range(ROUNDS)
            ]
        wk.init("bench", endpoint=sink)
        alone = own_work()
    rows = [
        (
            f"Medians of {ROUNDS} processes each, turns interleaved; {CALLS} calls bare, then as many instrumented, against "
            "a loopback fake; the caller's thread with a transport that answers in the process."
        ),
        "",
        "| SDK | bare call ms | added: caller's thread ms | wall time ms | process CPU ms, exporting included |",
        "|---|---|---|---|---|",
    ]
    for name in _all():
        found = {key: statistics.median(run[name][key] for run in runs) for key in runs[0][name]}
        rows.append(
            f"| {name} | {found['bare_ms']:.2f} | {found['caller_ms']:.3f} | {found['wall_ms']:.3f} | {found['cpu_ms']:.3f} |"
        )
    rows += [
        "",
        (
            f"Ours with the client's `post` replaced, wrapped less bare, turn by turn, median of {OWN}: {alone:.3f} ms; "
            f"{wk.stats().spans_sent:,} spans sent, {wk.stats().spans_lost} lost."
        ),
    ]
    return rows


def install_peers() -> None:
    """Install the peers in an environment of their own, once."""
    install_peer(PEERS_VENV, *PEERS)


def _all() -> dict[str, str]:
    peers = dict.fromkeys(("langfuse", "openinference", "logfire", "openllmetry"), str(PEERS_VENV / "bin" / "python"))
    return {"watchkeeper": sys.executable} | peers


def _one(python: str, name: str, sink: str, fake: str) -> dict[str, float]:
    command = [python, "benchmarks/sdk_one.py", name, sink, fake]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    print(f"  {name} {found}", flush=True)
    return found


@contextlib.contextmanager
def _running(*words: str) -> Iterator[str]:
    """Run a server of ours that prints its port."""
    child = subprocess.Popen([sys.executable, *words], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    try:
        yield child.stdout.readline().strip()
    finally:
        child.terminate()
        child.wait()


def serve_sink() -> None:
    """Run the sink; prints its port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    print(server.server_address[1], flush=True)
    threading.Thread(target=server.serve_forever, daemon=False).start()


if __name__ == "__main__":
    print("\n".join(main()))
