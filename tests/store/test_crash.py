"""`kill -9` under load: what was acknowledged is there, once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from watchkeeper.store.api import SpanFilter
from watchkeeper.store.conformance.samples import refine
from watchkeeper.store.factory import open_span_store

_KILLS = 20

_CHILD = """
import sys, threading
from pathlib import Path
from watchkeeper.store.api import WriteBatch
from watchkeeper.store.conformance.samples import Maker, log_of, refine
from watchkeeper.store.factory import open_span_store

folder, run = Path(sys.argv[1]), int(sys.argv[2])
store = open_span_store(folder, refine=refine, memory_mib=256)
out = threading.Lock()

def write(thread):
    make = Maker()
    def put(**batch):
        # Half of them from the journal.
        if thread % 2:
            store.accept(WriteBatch(**batch)).durable.result()
        else:
            store.submit(WriteBatch(**batch)).result()
    for number in range(1_000_000):
        trace = (run * 10 + thread) * 1_000_000 + number + 1
        root = make.span(trace, 1, at=number, session_id="s", text="x" * 500)
        spans = [make.span(trace, n, parent=1, at=number, text="y" * 500) for n in range(2, 12)]
        if number % 3 == 0:
            put(logs=(log_of(root, "early"),))
        put(spans=tuple(spans), size=10_000)
        # The root last, with a child again: identical, and one amended.
        again = (root, spans[0], make.span(trace, 3, parent=1, at=number, amended=True))
        put(spans=again, size=2_000)
        with out:
            sys.stdout.write(f"{trace}\\n")
            sys.stdout.flush()

for thread in range(4):
    threading.Thread(target=write, args=(thread,), daemon=True).start()
threading.Event().wait()
"""


def _kill_at_random(folder: Path, run: int, rng: random.Random) -> list[int]:
    """Write under load, kill the process at a random moment, and return the traces it acknowledged."""
    child = subprocess.Popen([sys.executable, "-c", _CHILD, str(folder), str(run)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    acknowledged: list[str] = []
    started = threading.Event()

    def listen() -> None:
        assert child.stdout is not None
        for line in child.stdout:
            acknowledged.append(line)
            if len(acknowledged) >= 3:
                started.set()
        started.set()

    listener = threading.Thread(target=listen)
    listener.start()
    assert started.wait(60)
    threading.Event().wait(rng.uniform(0, 0.4))
    os.kill(child.pid, signal.SIGKILL)
    child.wait(30)
    listener.join(30)
    child.stdout.close()
    assert len(acknowledged) >= 3, "the child died by itself"
    return [int(line) for line in acknowledged if line.endswith("\n")]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    """Twenty kills at random moments: every acknowledged span is there exactly once, merged, with its facts and logs."""
    rng = random.Random(20)
    known: set[int] = set()
    for run in range(_KILLS):
        known.update(_kill_at_random(tmp_path, run, rng))
        store = open_span_store(tmp_path, refine=refine, memory_mib=256)
        spans: dict[tuple[str, str], int] = {}
        amended, session, logs = set(), {}, set()
        for span in store.scan_spans("default", SpanFilter()):
            spans[span.trace_id, span.span_id] = spans.get((span.trace_id, span.span_id), 0) + 1
            session[span.trace_id, span.span_id] = span.session_id
            if span.raw.attributes.get("amended"):
                amended.add(span.trace_id)
            if span.raw.logs:
                logs.add(span.trace_id)
        counted = store.stats().spans
        store.close()
        assert set(spans.values()) == {1}
        assert counted == len(spans)
        for trace in known:
            trace_id = f"{trace:032x}"
            keys = [(trace_id, f"{span:016x}") for span in range(1, 12)]
            assert [key for key in keys if key not in spans] == []
            assert trace_id in amended
            assert {session[key] for key in keys} == {"s"}
            assert (trace - 1) % 1_000_000 % 3 or trace_id in logs
