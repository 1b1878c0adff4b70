"""The life of the host's process: threads refused, forks, freezes, signals, and the end, with real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.sdk import peer as peers
from tests.sdk.peer import Peer, Script
from watchkeeper.sdk.http import Wire

ROOT = Path(__file__).parents[2]
START = """
import atexit, os, signal, sys, threading, time
import watchkeeper as wk

wk.init("app", endpoint=sys.argv[1])

@wk.observe
def work(name):
    return name

def say(*words):
    print(*words, flush=True)
"""
NO_THREADS = """
import resource, threading
threading.stack_size(1 << 30)  # more than the limit below leaves: the system refuses each thread, as some platforms do
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (256 << 20), resource.RLIM_INFINITY))
"""
pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="signals, forks and /proc as Linux has them"
)


class Program:
    """A host: a program of its own that is given the peer's address. Killed at the end, whatever happened."""

    def __init__(self, folder: Path, text: str, url: str) -> None:
        path = folder / "app.py"
        path.write_text(text)
        environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{folder}"}
        self.process = subprocess.Popen(
            [sys.executable, str(path), url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def says(self) -> str:
        """Wait for its next line."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def ask(self, line: str) -> str:
        """Give it a line; wait for what it says to it."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.says()

    def ends(self) -> tuple[int, str]:
        """Wait for its end: the exit status, and what it said on its way."""
        out, errors = self.process.communicate(timeout=100)
        assert "Traceback" not in errors, errors
        assert "Exception ignored" not in errors, errors
        return self.process.returncode, out


Start = Callable[[str, str], Program]
"""Starts a program of this text with this address."""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Give what starts programs."""
    running: list[Program] = []

    def starting(text: str, url: str) -> Program:
        running.append(Program(tmp_path, text, url))
        return running[-1]

    yield starting
    for one in running:
        one.process.kill()
        one.process.wait(30)


AGAIN = """
from opentelemetry import trace
held = trace.get_tracer("another library")
for service in ("first", "second"):
    if service == "second":
        wk.shutdown()
        wk.init(service, endpoint=sys.argv[1])
    work(service)
    held.start_span("kept").end()
    trace.get_tracer("new").start_span("new").end()
    say(wk.flush(30), *wk.stats()[:2])
say(len(trace.get_tracer_provider()._active_span_processor._span_processors))
"""


def test_the_sdk_starts_again_under_another_name(start: Start) -> None:
    """After shutdown, init takes: spans of ours and of other libraries go out once, under the new name, by two processors."""
    with Peer(peers.says(200)) as peer:
        text = START.replace('"app"', '"first"') + AGAIN
        assert start(text, peer.url).ends() == (0, "True 3 0\nTrue 3 0\n2\n")
        assert [sorted(one.services) for one in peer.requests] == [["first"], ["second"]]
        assert len(peer.span_ids) == len(set(peer.span_ids)) == 6


def once(peer: Peer) -> list[str]:
    """Return the arguments of the spans that came, sorted; fail where one came twice."""
    ids = peer.span_ids
    assert len(ids) == len(set(ids)), "a span was sent twice"
    found = [span for one in peer.requests if "/v1/traces" in one.line for span in one.spans]
    return sorted(one.value.string_value for span in found for one in span.attributes if one.key == "watchkeeper.input")


@pytest.mark.parametrize("script", [peers.never_reads, peers.never_answers, peers.drips], ids=lambda one: one.__name__)
def test_the_exit_does_not_wait_for_a_server_that_hangs(start: Start, script: Script) -> None:
    """The host ends, with its own exit status, while the server still has not answered."""
    with Peer(script) as peer:
        program = start(START + "work('a'); wk.score('good', 1, trace_id='a' * 32); sys.exit(7)", peer.url)
        assert program.ends() == (7, "")
        assert (peer.holding.wait(60), peer.answered, peer.over.is_set()) == (True, 0, False)


def test_the_exit_sends_what_waits(start: Start) -> None:
    """What ended last, in an exit handler too, arrives: where no thread can be started any more, the exit sends it."""
    with Peer(peers.says(200)) as peer:
        text = START + "atexit.register(lambda: work('at exit'))\nthreading.Thread(target=work, args=('late',)).start()"
        assert start(text, peer.url).ends() == (0, "")
        assert once(peer) == ["at exit", "late"]


def test_only_an_exit_handler_traces(start: Start) -> None:
    """A host whose first span ends while the interpreter does, loses nothing."""
    with Peer(peers.says(200)) as peer:
        assert start(START + "atexit.register(lambda: work('at exit'))", peer.url).ends() == (0, "")
        assert once(peer) == ["at exit"]


def test_where_threads_are_refused_flush_sends(start: Start) -> None:
    """On a system that refuses threads, calls go on, flush sends from the caller's own, and so does the exit."""
    with Peer(peers.says(200)) as peer:
        text = START + NO_THREADS + (
            "[work(str(n)) for n in range(3)]; wk.score('good', 1, trace_id='a' * 32)\n"
            "say(threading.active_count(), wk.flush(30), wk.stats().spans_sent, wk.stats().scores_sent)\nwork('last')"
        )  # fmt: skip
        assert start(text, peer.url).ends() == (0, "1 True 3 1\n")
        assert once(peer) == ["0", "1", "2", "last"]


def test_where_threads_are_refused_a_full_queue_drops(start: Start) -> None:
    """Without a thread and without a flush the queue is bounded, and what did not find a place is counted."""
    with Peer(peers.says(200)) as peer:
        text = START + NO_THREADS + "[work('x') for n in range(9_000)]\nsay(*wk.stats())"
        program = start(text, peer.url)
        assert program.says() == "0 808 0 0 8192 808 0 0"


PROVIDER = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
trace.set_tracer_provider(TracerProvider())
"""
FORK = """
@wk.observe
def across(name):
    pid = os.fork()
    if pid == 0:
        work("child")
        sys.exit(3)  # through the end of our span, and the exit handlers
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

work("before")
say(across("around"))
work("after")
"""


@pytest.mark.parametrize("provider", ["", PROVIDER], ids=["our recorder", "the app's provider"])
def test_a_fork_sends_each_span_once(start: Start, provider: str) -> None:
    """What waited and what was open at the fork is sent by the parent alone; the child sends its own as it exits."""
    with Peer(peers.says(200)) as peer:
        assert start(provider + START + FORK, peer.url).ends() == (0, "3\n")
        assert once(peer) == ["after", "around", "before", "child"]


MULTI = """
def task(name):
    return work(name)

if __name__ == "__main__":
    import multiprocessing
    kind = {kind!r}
    context = multiprocessing.get_context(kind)
    if kind == "forkserver":
        context.set_forkserver_preload(["__main__"])
    work("parent")
    children = [context.Process(target=task, args=(f"child {{n}}",)) for n in range(2)]
    for one in children:
        one.start()
    for one in children:
        one.join()
    from concurrent.futures import ProcessPoolExecutor
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        pool.submit(task, "pool").result()
"""


@pytest.mark.parametrize("kind", ["fork", "forkserver", "spawn"])
def test_children_of_multiprocessing_send_before_they_end(start: Start, kind: str) -> None:
    """Processes and a pool's workers, which leave without exit handlers, send what they have; nothing is sent twice."""
    with Peer(peers.says(200)) as peer:
        text = START.replace("sys.argv[1]", repr(peer.url)) + MULTI.format(kind=kind)
        assert start(text, peer.url).ends() == (0, "")
        assert once(peer) == ["child 0", "child 1", "parent", "pool"]


PREFORK = """
work("preload")
assert wk.flush(30)  # the thread runs, the connection is open: the worst time to fork

def serve(number):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    for request in range(5):
        work(f"worker {number} request {request}")
    os.write(ready, b".")
    while True:
        signal.pause()

told, ready = os.pipe()
workers = []
for number in range(3):
    pid = os.fork()
    if pid == 0:
        serve(number)
    workers.append(pid)
for _ in workers:
    os.read(told, 1)
for pid in workers:
    os.kill(pid, signal.SIGTERM)
codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in workers]
work("master")
say(codes, wk.flush(30), wk.stats().spans_sent)
"""


def test_workers_forked_from_a_traced_master(start: Start) -> None:
    """Workers forked after the app was loaded each send their own over their own connection; the master keeps its."""
    with Peer(peers.says(200)) as peer:
        assert start(START + PREFORK, peer.url).ends() == (0, "[0, 0, 0] True 2\n")
        assert once(peer) == ["master", "preload"] + [f"worker {w} request {r}" for w in range(3) for r in range(5)]
        assert peer.accepted == 4


def test_frozen_between_invocations(start: Start) -> None:
    """A function frozen after its flush, whose connection is gone when it thaws, sends the next one's spans at once."""
    with Peer(peers.says(200)) as peer:
        text = START + "for line in sys.stdin:\n    work(line.strip()); say(wk.flush(30), wk.stats().spans_sent)"
        program = start(text, peer.url)
        assert program.ask("one") == "True 1"
        program.process.send_signal(signal.SIGSTOP)
        peer.hang_up()
        program.process.send_signal(signal.SIGCONT)
        assert program.ask("two") == "True 2"
        assert once(peer) == ["one", "two"]


def test_frozen_with_spans_on_their_way(start: Start) -> None:
    """Frozen without a flush, what waited is sent after the thaw."""
    with Peer(peers.says(200)) as peer:
        text = START + "for line in sys.stdin:\n    say(work(line.strip()))"
        program = start(text, peer.url)
        program.ask("one")
        program.process.send_signal(signal.SIGSTOP)
        program.process.send_signal(signal.SIGCONT)
        peer.await_requests(1)
        assert once(peer) == ["one"]


def test_a_connection_that_was_idle_is_not_trusted() -> None:
    """After a pause, as of a freeze, nothing is written to a connection that a gateway may have forgotten without a word."""
    with Peer(peers.answers_once) as peer:
        wire = Wire(f"{peer.url}/v1/traces", {}, compress=False)
        first = wire.post(b"1", 30)
        wire._used -= 60  # what the clock would show
        second = wire.post(b"2", 30)
        wire.close()

        assert (first.status, second.status, peer.accepted) == (200, 200, 2)


def test_a_polite_end_sends(start: Start) -> None:
    """SIGTERM, to a host that turns it into an exit as servers do, sends what waits."""
    with Peer(peers.says(200)) as peer:
        text = (
            START + "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\nsay(work('x'))\nwhile True: signal.pause()"
        )
        program = start(text, peer.url)
        program.says()
        program.process.terminate()
        assert program.ends() == (0, "")
        assert once(peer) == ["x"]


@pytest.mark.parametrize("threads", ["", NO_THREADS], ids=["a thread sends", "no threads"])
def test_a_signal_in_the_middle_of_a_flush(start: Start, threads: str) -> None:
    """A handler may trace, flush and score although it interrupts a flush to a server that hangs: nothing locks up."""
    with Peer(peers.never_answers) as peer:
        text = START + threads + (
            "def handle(*_):\n"
            "    work('y'); wk.score('s', 1, trace_id='a' * 32); say(wk.flush(0.05)); os._exit(5)\n"
            "signal.signal(signal.SIGTERM, handle)\nwork('x')\nwk.flush(600)"
        )  # fmt: skip
        program = start(text, peer.url)
        assert peer.holding.wait(60)
        program.process.terminate()
        assert program.ends() == (5, "False\n")
        assert peer.answered == 0


STORM = """
made = 0

def handle(*_):
    global made
    made += 1
    work("from a handler")

signal.signal(signal.SIGALRM, handle)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.0002)
for number in range(20_000):
    work("from the program")
signal.setitimer(signal.ITIMER_REAL, 0)
done, told = wk.flush(60), wk.stats()
say(made > 0, made + 20_000 == told.spans_sent + told.spans_lost + told.spans_waiting, told.spans_waiting)
"""


def test_signals_that_trace_come_down_like_hail(start: Start) -> None:
    """Spans of a handler that interrupts the ends of others at any point lock nothing up, and every span is counted."""
    with Peer(peers.says(200)) as peer:
        assert start(START + STORM, peer.url).ends() == (0, "True True 0\n")


def test_a_signal_in_the_middle_of_init(start: Start) -> None:
    """A handler that shuts the SDK down while init runs does not lock up."""
    with Peer(peers.says(200)) as peer:
        text = """
import os, signal, sys
import watchkeeper as wk
from watchkeeper.sdk import runtime

signal.signal(signal.SIGTERM, lambda *_: (wk.shutdown(), os._exit(5)))
with runtime._holder.lock:
    os.kill(os.getpid(), signal.SIGTERM)
"""
        assert start(text, peer.url).ends() == (5, "")
