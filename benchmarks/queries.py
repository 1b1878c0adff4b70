"""The four questions at a million spans, warm, through the API; and memory with that many stored."""

from __future__ import annotations

import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.load import Template
from benchmarks.machine import ROOT, watchkeeper
from watchkeeper.ingest import decode_traces, map_span
from watchkeeper.model import RawSpan, Span
from watchkeeper.pricing import Pricer
from watchkeeper.store.api import WriteBatch
from watchkeeper.store.factory import open_span_store

DAY = 24 * 3600 * 10**9
RUNS = 20
RATE = 3_000


def fill(folder: Path, count: int) -> float:
    """Store so many spans of 3.4 kB, spread over the last day; returns seconds taken."""
    template, pricer = Template(), Pricer()

    def refine(project: str, raw: RawSpan, received_at: int) -> Span:
        return pricer.price(map_span(project, raw, received_at))

    store = open_span_store(folder, refine=refine)
    begun, now = time.perf_counter(), time.time_ns()
    requests = count // 100
    waiting = []
    for serial in range(requests):
        body = template.make(7, serial, now - DAY + DAY * serial // requests)
        raws = decode_traces(bytes(body), "application/x-protobuf").spans
        batch = WriteBatch(spans=tuple(refine("default", raw, now) for raw in raws), size=len(body))
        waiting.append(store.submit(batch))
        if len(waiting) > 20:
            waiting.pop(0).result()
        if serial % 1_000 == 0:
            print(f"  {serial * 100:,} spans", file=sys.stderr, flush=True)
    for future in waiting:
        future.result()
    store.close()
    return time.perf_counter() - begun


def ask(url: str, sql: str) -> Callable[[], None]:
    """Make a question in SQL."""
    body = json.dumps({"sql": sql}).encode()

    def run() -> None:
        request = urllib.request.Request(f"{url}/api/v1/query", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=120) as answer:
            answer.read()

    return run


def get(url: str) -> Callable[[], None]:
    """Make a question over the API."""

    def run() -> None:
        with urllib.request.urlopen(url, timeout=120) as answer:
            answer.read()

    return run


def median_ms(question: Callable[[], None]) -> float:
    """Ask twice to warm up, then `RUNS` times; the median in milliseconds."""
    for _ in range(2):
        question()
    times = []
    for _ in range(RUNS):
        begun = time.perf_counter()
        question()
        times.append((time.perf_counter() - begun) * 1e3)
    return round(statistics.median(times), 1)


def stored(url: str) -> int:
    """Count the spans that are stored."""
    body = json.dumps({"sql": "select count(*) from spans"}).encode()
    request = urllib.request.Request(f"{url}/api/v1/query", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=120) as answer:
        return int(json.load(answer)["rows"][0][0])


@contextlib.contextmanager
def arriving(url: str) -> Iterator[None]:
    """Let `RATE` spans a second arrive; begins five seconds in."""
    command = [sys.executable, "-m", "benchmarks.load", url, "--seconds", "600", "--rate", str(RATE)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as load:
        time.sleep(5)
        try:
            yield
        finally:
            load.kill()


def main(count: int = 1_000_000) -> list[str]:
    """Measure and return the table as Markdown lines."""
    rows = ["| what | result |", "|---|---|"]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "data"
        took = fill(folder, count)
        rows.append(f"| filling through the store, decode to commit, one thread | {count / took:,.0f} spans/s |")
        with watchkeeper(folder) as server:
            rows.append(f"| ready with {count:,} spans | {server.ready_seconds:.2f} s |")
            with urllib.request.urlopen(f"{server.url}/api/v1/traces?limit=50", timeout=120) as answer:
                trace_id = json.load(answer)["items"][25]["trace_id"]
            day = "kind = 'llm' and start_time > now() - interval 1 day"
            questions = {
                "latest 50 traces": get(f"{server.url}/api/v1/traces?limit=50"),
                "p50/p95/p99 by model and hour over a day": ask(
                    server.url,
                    "select model, date_trunc('hour', start_time) as hour, quantile_cont(duration_ns, [0.5, 0.95, 0.99]) "
                    f"from spans where {day} group by 1, 2",
                ),
                "cost by user": ask(
                    server.url, "select user_id, sum(cost_nano_usd) from spans group by 1 order by 2 desc"
                ),
                "one trace": get(f"{server.url}/api/v1/traces/{trace_id}"),
                "overview page, one day": get(f"{server.url}/api/v1/overview"),
            }
            idle = {name: median_ms(one) for name, one in questions.items()}
            memory = server.rss_mib()
            with arriving(server.url):
                begun, before = time.monotonic(), stored(server.url)
                busy = {name: median_ms(one) for name, one in questions.items()}
                rate = (stored(server.url) - before) / (time.monotonic() - begun)
            rows += [
                f"| {name}, warm median of {RUNS}: idle; under load | {idle[name]}; {busy[name]} ms |" for name in idle
            ]
            rows.append(f"| arriving meanwhile, stored | {rate:,.0f} spans/s |")
            rows.append(f"| memory with {count:,} spans, after the idle questions | {memory:.0f} MiB |")
            rows.append(f"| memory after those under load, packing processes included | {server.rss_mib():.0f} MiB |")
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        rows.append(f"| on disk | {size / 2**20:,.0f} MiB, {size / count:,.0f} bytes a span |")
    print("\n".join(rows), flush=True)
    return rows


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
