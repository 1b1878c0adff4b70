"""What a wrapped OpenAI call costs over a bare one: wall time, and process CPU with exporting included."""

from __future__ import annotations

import http.server
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from openai import OpenAI
from openai.types.chat import ChatCompletion
from tests.fake_openai import completion, message_of

import watchkeeper as wk
from benchmarks.machine import ROOT

CALLS = 400
ROUNDS = 7
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


def timed(call: Callable[[], object]) -> tuple[float, float]:
    """Make the calls; wall and CPU milliseconds a call."""
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(CALLS):
        call()
    wall = time.perf_counter() - wall
    wk.flush()
    return wall * 1e3 / CALLS, (time.process_time() - cpu) * 1e3 / CALLS


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
    for _ in range(CALLS * 3):
        for client in (bare, wrapped):
            begun = time.perf_counter()
            client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES)
            times[id(client)].append((time.perf_counter() - begun) * 1e3)
    wk.flush()
    if wk.stats().spans_sent - before != CALLS * 3:
        raise RuntimeError("the calls were not traced: there is nothing to measure")
    return statistics.median(times[id(wrapped)]) - statistics.median(times[id(bare)])


def main() -> list[str]:
    """Measure and return the table as Markdown lines."""
    sink = subprocess.Popen(
        [sys.executable, "-c", "import benchmarks.sdk_cost as s; s.serve_sink()"], cwd=ROOT, stdout=-1, text=True
    )
    fake = subprocess.Popen([sys.executable, "-m", "tests.fake_openai"], cwd=ROOT, stdout=-1, text=True)
    assert sink.stdout is not None
    assert fake.stdout is not None
    try:
        wk.init("bench", endpoint=f"http://127.0.0.1:{sink.stdout.readline().strip()}")
        url = f"http://127.0.0.1:{fake.stdout.readline().strip()}/v1"
        bare, wrapped = OpenAI(base_url=url, api_key="x"), wk.wrap(OpenAI(base_url=url, api_key="x"))
        walls: list[float] = []
        cpus: list[float] = []
        base: list[float] = []
        for number in range(ROUNDS + 1):
            plain = timed(lambda: bare.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES))
            ours = timed(lambda: wrapped.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES))
            if number:  # the first round warms up
                base.append(plain[0])
                walls.append(ours[0] - plain[0])
                cpus.append(ours[1] - plain[1])
        alone = own_work()
    finally:
        sink.terminate()
        fake.terminate()
    return [
        f"Medians of {ROUNDS} rounds of {CALLS} calls, a bare call takes {statistics.median(base):.2f} ms (loopback fake):",
        "",
        "| what | result |",
        "|---|---|",
        f"| our work on the caller's thread, the HTTP request taken away, median of {CALLS * 3} | {alone:.3f} ms |",
        f"| added wall time a call, the exporter's thread competing for the interpreter | {statistics.median(walls):.3f} ms |",
        f"| added process CPU a call, exporting included | {statistics.median(cpus):.3f} ms |",
        f"| spans sent, lost | {wk.stats().spans_sent:,}, {wk.stats().spans_lost} |",
    ]


def serve_sink() -> None:
    """Run the sink; prints its port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    print(server.server_address[1], flush=True)
    threading.Thread(target=server.serve_forever, daemon=False).start()


if __name__ == "__main__":
    print("\n".join(main()))
