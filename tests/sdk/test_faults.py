"""The server is down, slow or lies: the host's calls neither fail nor wait, and the counters say what became of each span."""

from __future__ import annotations

import email.utils
import logging
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
from openai import OpenAI
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

import watchkeeper as wk
from tests.sdk import peer as peers
from tests.sdk.peer import Peer, Script
from tests.serving import serving
from watchkeeper.sdk.export import SpanQueue
from watchkeeper.sdk.http import Tls, Wire
from watchkeeper.sdk.recorder import Origin, Recorder, Recording
from watchkeeper.sdk.runtime import tracer
from watchkeeper.sdk.send import OtlpSender, Outcome

CALLS = 3
ASKED = [{"role": "user", "content": "What is the weather in Bern?"}]


class Fault(NamedTuple):
    """A way to fail, and what then becomes of spans."""

    script: Script
    waiting: int = 0
    lost: int = 0
    sent: int = 0


FAULTS = {
    "resets in the request": Fault(peers.resets_midway, waiting=CALLS),
    "resets in its answer": Fault(peers.resets_in_answer, waiting=CALLS),
    "speaks no HTTP": Fault(peers.speaks_no_http, waiting=CALLS),
    "500": Fault(peers.says(500, b"<html>oh</html>"), lost=CALLS),
    "503": Fault(peers.says(503), waiting=CALLS),
    "503, leave me alone for ever": Fault(peers.says(503, Retry_After="1e999"), waiting=CALLS),
    "503, Retry-After negative": Fault(peers.says(503, Retry_After="-7"), waiting=CALLS),
    "503, Retry-After a date": Fault(
        peers.says(503, Retry_After=email.utils.formatdate(4_000_000_000, usegmt=True)), waiting=CALLS
    ),
    "503, Retry-After garbage": Fault(peers.says(503, Retry_After="soon\tish"), waiting=CALLS),
    "503, Retry-After no number": Fault(peers.says(503, Retry_After="nan"), waiting=CALLS),
    "429": Fault(peers.says(429, Retry_After="1"), waiting=CALLS),
    "400": Fault(peers.says(400), lost=CALLS),
    "401": Fault(peers.says(401), lost=CALLS),
    "403": Fault(peers.says(403), lost=CALLS),
    "404": Fault(peers.says(404), lost=CALLS),
    "413 to anything": Fault(peers.takes_few(0), lost=CALLS),
    "413 to more than one": Fault(peers.takes_few(1), sent=CALLS),
    "200, all rejected": Fault(peers.rejecting(CALLS), lost=CALLS),
    "200, some rejected": Fault(peers.rejecting(2), lost=2, sent=CALLS - 2),
    "200, some rejected, at length": Fault(peers.rejecting(2, "too old " * 100), lost=2, sent=CALLS - 2),
    "200, more rejected than sent": Fault(peers.rejecting(2**62), lost=CALLS),
    "200, fewer than none rejected": Fault(peers.rejecting(-5), sent=CALLS),
    "200, a warning only": Fault(peers.rejecting(0, "deprecated"), sent=CALLS),
    "200, garbage": Fault(peers.says(200, b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), sent=CALLS),
    "200, a web page": Fault(peers.says(200, b"<!doctype html><title>Log in</title>"), sent=CALLS),
    "200, endless": Fault(peers.endless, sent=CALLS),
    "200, closing": Fault(peers.says_and_closes(200), sent=CALLS),
    "204": Fault(peers.says(204), sent=CALLS),
}
HANGING: dict[str, Script] = {
    "accepts and never reads": peers.never_reads,
    "reads and never answers": peers.never_answers,
    "answers a byte a second": peers.drips,
}


@pytest.fixture(autouse=True)
def _stopped(no_provider: None, base_url: str) -> Iterator[None]:
    yield
    wk.shutdown()


def call(client: OpenAI) -> None:
    """Make one call of the host's; it has to come back with its answer."""
    answer = client.chat.completions.create(model="gpt-4o-mini", messages=ASKED)  # type: ignore[arg-type]  # plain dicts
    assert answer.choices[0].message.content == "It is sunny in Bern."


def settled() -> tuple[int, int, int]:
    """Return how many spans wait, are lost and were sent."""
    told = wk.stats()
    return told.spans_waiting, told.spans_lost, told.spans_sent


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_each_span_is_sent_lost_or_waiting(fault: Fault, client: OpenAI) -> None:
    """Whatever the server says, the host has its answers, and each of its spans is counted once, as what it became."""
    with Peer(fault.script) as peer:
        wk.init("x", endpoint=peer.url)
        for _ in range(CALLS):
            call(client)
        done = wk.flush(30)

        assert settled() == (fault.waiting, fault.lost, fault.sent)
        assert done is (fault.sent == CALLS), "flush says whether the server took all of them"


@pytest.mark.parametrize("script", HANGING.values(), ids=HANGING.keys())
def test_the_host_goes_on_while_the_server_hangs(script: Script, client: OpenAI) -> None:
    """The host's calls come back while a server that was asked first has not answered yet, and their spans wait."""
    with Peer(script) as peer:
        wk.init("x", endpoint=peer.url)
        call(client)
        first = wk.flush(0.05)
        assert peer.holding.wait(60)
        for _ in range(CALLS):
            call(client)

        assert peer.answered == 0
        assert first is False
        assert settled() == (CALLS + 1, 0, 0)


def test_nobody_listens(client: OpenAI) -> None:
    """With nothing on the port, spans wait, flush says so, and nothing raises."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        wk.init("x", endpoint=f"http://127.0.0.1:{taken.getsockname()[1]}")
        for _ in range(CALLS):
            call(client)

        assert wk.flush(30) is False
        assert settled() == (CALLS, 0, 0)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int, client: OpenAI) -> None:
    """Neither spans nor scores nor the key go where an answer points to: they are lost and counted."""
    with (
        Peer(peers.says(200)) as elsewhere,
        Peer(peers.says(status, Location=f"{elsewhere.url}/v1/traces")) as peer,
    ):
        wk.init("x", endpoint=peer.url, api_key="sk-secret")
        call(client)
        wk.score("good", 1, trace_id="a" * 32)

        assert wk.flush(30) is False
        assert (elsewhere.accepted, settled(), wk.stats().scores_dropped) == (0, (0, 1, 0), 1)
        assert {one.headers["authorization"] for one in peer.requests} == {"Bearer sk-secret"}


def test_tls_to_a_server_that_has_none(client: OpenAI) -> None:
    """Asked for TLS, a server that speaks none gets no key and no span, and the spans wait."""
    with Peer(lambda connection: bytes_of(connection.sock)) as plain:
        wk.init("x", endpoint=plain.url.replace("http:", "https:"), api_key="sk-secret")
        call(client)

        assert wk.flush(30) is False
        assert (settled(), plain.requests) == ((1, 0, 0), [])


def bytes_of(sock: socket.socket) -> None:
    """Read what comes first, and go."""
    assert b"sk-secret" not in sock.recv(1 << 16)


def test_a_connection_that_closes_after_each_answer() -> None:
    """A server that says `Connection: close` is asked again over a new connection, batch after batch."""
    with Peer(peers.says_and_closes(200)) as peer:
        wk.init("x", endpoint=peer.url)
        for number in range(1, 4):
            with_span()
            assert wk.flush(30)
            assert settled() == (0, 0, number)

        assert len(set(peer.span_ids)) == 3


def with_span() -> None:
    """Make one span."""

    @wk.observe
    def observed() -> str:
        return "done"

    assert observed() == "done"


def test_scores_outlast_an_outage() -> None:
    """A score that found the server down is sent when it is back, once, under the id it was given."""
    with Peer(peers.says(503)) as peer:
        wk.init("x", endpoint=peer.url)
        wk.score("good", 1, trace_id="a" * 32, id="s1")
        first = wk.flush(30)
        peer.script = peers.says(201)
        peer.requests.clear()
        peer.__exit__()
        with Peer(peers.says(201), port=peer.port) as back:
            again = wk.flush(30)

            assert (first, again) == (False, True)
            assert [one.score["id"] for one in back.requests] == ["s1"]
            assert (wk.stats().scores_sent, wk.stats().scores_dropped) == (1, 0)


def test_an_outage_longer_than_patience() -> None:
    """Through an outage the queue stays bounded; afterwards what waited arrives once, and every span is accounted for."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    wire = Wire(f"http://127.0.0.1:{port}/v1/traces", {}, compress=False)
    spans = SpanQueue(OtlpSender(wire), "here", size=50, batch=10, delay=60, patience=0)
    produced, most = 0, 0
    for _ in range(30):  # each round the server is found down once more, as it would be in an hour
        produced += end_spans(spans, 20)
        spans.flush(30)
        most = max(most, spans.waiting)
    with Peer(peers.says(200), port=port) as peer:
        while spans.waiting:
            spans.flush(30)
        arrived = peer.span_ids
    spans.shutdown()

    assert most <= 60, "the queue, and the batch that is tried again"
    assert (spans.lost > 0, spans.dropped > 0, spans.sent > 0) == (True, True, True)
    assert spans.sent + spans.lost + spans.dropped == produced
    assert len(arrived) == len(set(arrived)) == spans.sent


def end_spans(spans: SpanQueue, count: int) -> int:
    """End so many spans into a queue; return how many."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(spans)
    for _ in range(count):
        provider.get_tracer("t").start_span("s").end()
    return count


def test_a_tls_server_that_nobody_vouches_for(client: OpenAI, certificate: Path) -> None:
    """A certificate that is not trusted ends the handshake: no key, no span leaves, and the spans wait."""
    with Peer(peers.says(200), tls=tls_of(certificate)) as peer:
        wk.init("x", endpoint=peer.url, api_key="sk-secret")
        call(client)

        assert wk.flush(30) is False
        assert (settled(), peer.requests) == ((1, 0, 0), [])


def test_a_tls_server_that_is_vouched_for(client: OpenAI, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its authority named in OTel's own setting, spans and scores reach the same server over TLS."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", str(certificate))
    with Peer(peers.says(200), tls=tls_of(certificate)) as peer:
        wk.init("x", endpoint=peer.url)
        call(client)
        wk.score("good", 1, trace_id="a" * 32)

        assert wk.flush(30) is True
        assert (settled(), len(peer.requests)) == ((0, 0, 1), 2)


def test_a_reader_that_is_slow_over_tls(certificate: Path) -> None:
    """A request has one deadline, however steadily the server reads: it ends while the reader is not through."""
    body = b"x" * (64 << 20)
    with Peer(peers.reads_slowly, tls=tls_of(certificate)) as peer:
        wire = Wire(f"{peer.url}/v1/traces", {}, compress=False, tls=Tls(str(certificate)))
        answer = wire.post(body, 0.5)
        wire.close()

        assert answer.status == 0
        assert peer.read < len(body) // 2


def test_a_proxy_that_drips(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy's answer is read against the same deadline: one that comes byte by byte gains no time, and sees no key."""
    with Peer(peers.drips_fast) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        wire = Wire("https://example.invalid/v1/traces", {"Authorization": "Bearer sk-secret"}, compress=False)
        answer = wire.post(b"x", 1)
        proxy.await_requests(1)

        assert answer.status == 0
        assert proxy.requests[0].line.startswith("CONNECT example.invalid:443")
        assert "authorization" not in proxy.requests[0].headers
        assert not proxy.done


def tls_of(certificate: Path) -> ssl.SSLContext:
    """Return a server's side of it."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(certificate)
    return made


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a certificate that vouches for itself, with its key."""
    found = shutil.which("openssl")
    if found is None:
        pytest.fail("openssl is not installed: apt-get install --no-install-recommends openssl")
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1"
    words += f" -addext subjectAltName=IP:127.0.0.1 -keyout {path}.key -out {path}.crt"
    subprocess.run([found, *words.split()], check=True, capture_output=True)
    path.write_bytes(Path(f"{path}.key").read_bytes() + Path(f"{path}.crt").read_bytes())
    return path


@pytest.mark.slow
def test_a_resend_is_stored_once(tmp_path: Path) -> None:
    """Where the answer is lost on its way back, the batch is sent again, and our server has each span and score once."""
    with serving(tmp_path) as served:
        broken: list[str] = []

        def loses_the_first_answer(connection: peers.Connection) -> None:
            while (request := connection.request()) is not None:
                path = request.line.split()[1]
                status, body, _ = served.call(path, request.body, Content_Type=request.headers["content-type"])
                assert status in {200, 201}, body
                if path not in broken:
                    broken.append(path)
                    connection.reset()
                    return
                connection.answer(status, body)

        with Peer(loses_the_first_answer) as peer:
            wk.init("x", endpoint=peer.url)
            for _ in range(CALLS):
                with_span()
            wk.score("good", 1, trace_id="a" * 32)
            first, again = wk.flush(30), wk.flush(30)

        assert (first, again, settled(), wk.stats().scores_sent) == (False, True, (0, 0, CALLS), 1)
        assert len(peer.span_ids) == 2 * CALLS
        assert served.sql("SELECT count(*) AS spans FROM spans")[1]["rows"] == [[CALLS]]
        assert served.sql("SELECT count(*) AS scores FROM scores")[1]["rows"] == [[1]]


def test_a_logging_handler_may_trace() -> None:
    """While the one warning waits for a handler's lock, whoever holds the lock can end spans: no lock is held over a log."""
    log, asked = logging.getLogger("watchkeeper"), threading.Event()

    class Waits(logging.Handler):
        """Says when our thread is about to want its lock."""

        def handle(self, record: logging.LogRecord) -> bool:
            if threading.current_thread().name == "watchkeeper-spans":
                asked.set()
            return super().handle(record)

        def emit(self, record: logging.LogRecord) -> None:
            with_span()

    told = Waits()
    log.addHandler(told)
    try:
        with Peer(peers.says(500)) as peer:
            wk.init("x", endpoint=peer.url)
            told.acquire()
            with_span()
            wk.flush(30)
            assert asked.wait(60)
            with_span()
            assert settled() == (1, 1, 0)
    finally:
        told.release()
        log.removeHandler(told)


def test_what_a_span_holds_is_weighed() -> None:
    """Lists, bytes and the texts of events fill the queue as attributes do."""
    ended: list[Recording] = []
    tracer = Recorder(Origin(Resource({}), InstrumentationScope("t"), ended.append), lambda _, __: True)
    span = tracer.start_span("s", attributes={"list": ["x" * 1_000] * 100, "bytes": b"x" * 50_000})
    span.add_event("e", {"text": "x" * 70_000})
    span.end()

    assert ended == [span]
    assert 220_000 <= span.size <= 240_000


def test_what_goes_wrong_in_the_queue_stays_there(caplog: pytest.LogCaptureFixture) -> None:
    """An error in our own bookkeeping does not come out of the host's `end`."""

    def breaks(_: Recording) -> None:
        raise RuntimeError("a bug of ours")

    tracer = Recorder(Origin(Resource({}), InstrumentationScope("t"), breaks), lambda _, __: True)
    with caplog.at_level(logging.DEBUG, "watchkeeper"):
        tracer.start_span("s").end()

    assert "could not be queued" in caplog.text


def test_a_sender_with_a_bug_costs_its_batch() -> None:
    """Whatever a sender raises, its batch is lost and counted, and the next one is sent."""

    class Buggy(OtlpSender):
        """Fails once, in a way that nobody foresaw."""

        left = 1

        def send(self, batch: Sequence[ReadableSpan | Recording], timeout: float | None) -> Outcome:
            if self.left:
                self.left = 0
                raise AttributeError("a bug of ours")
            return super().send(batch, timeout)

    with Peer(peers.says(200)) as peer:
        spans = SpanQueue(Buggy(Wire(peer.url, {}, compress=False)), "here")
        end_spans(spans, 2)
        first = spans.flush(30)
        end_spans(spans, 3)
        again = spans.flush(30)
        spans.shutdown()

    assert (first, again, spans.lost, spans.sent) == (False, True, 2, 3)


def test_a_span_that_cannot_be_encoded_is_lost() -> None:
    """A span with a time that is none is counted as lost; those beside it are sent."""
    with Peer(peers.says(200)) as peer:
        wk.init("x", endpoint=peer.url)
        tracer().start_span("before all time", start_time=-1).end()
        with_span()

        assert wk.flush(30) is False
        assert settled() == (0, 1, 1)
