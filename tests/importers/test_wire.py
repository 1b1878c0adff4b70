"""How an import speaks HTTP: patience, no redirects, errors that say what to do; and how it delivers."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from watchkeeper.importers import Client, DryRun, OtlpSpan, Page, Server
from watchkeeper.importers.values import attributes, value_of
from watchkeeper.kit.errors import ConfigError, NotFoundError, RequestError, UpstreamError

Answer = tuple[int, dict[str, str], bytes]


@contextmanager
def answering(answer: Callable[[str, bytes], Answer]) -> Iterator[str]:
    """Run a server that answers each path and body as it is told; yield its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, headers, text = answer(self.path, body)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(text))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST  # noqa: N815 - the base class names it

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def client(url: str, slept: list[float] | None = None) -> Client:
    """Return a client that notes its pauses instead of taking them."""
    sleep = (slept if slept is not None else []).append
    return Client(url, {}, whose="Tool", key_hint="set the key", attempts=4, sleep=sleep)


def test_it_waits_as_long_as_it_is_asked_to() -> None:
    """After 429 the time named is waited, without one a growing pause; then the answer is given."""
    answers = [(429, {"Retry-After": "7"}, b""), (503, {}, b""), (502, {}, b""), (200, {}, b'{"a": 1}')]
    slept: list[float] = []
    with answering(lambda path, body: answers.pop(0)) as url:
        found = client(url, slept).get("/x", {"q": 1, "none": None})

    assert found == {"a": 1}
    assert slept[0] == 7
    assert 0 < slept[1] < slept[2] * 2


@pytest.mark.parametrize(
    ("answer", "kind", "says"),
    [
        ((503, {}, b'{"error": {"message": "full"}}'), UpstreamError, "4 times: full"),
        ((401, {}, b'{"message": "who?"}'), ConfigError, "refused the key: 401 for /x: who?"),
        ((404, {}, b'{"detail": "none"}'), NotFoundError, "none"),
        ((400, {}, b"bad filter"), RequestError, "bad filter"),
        ((302, {"Location": "https://elsewhere.example"}, b""), ConfigError, "sends on to https://elsewhere.example"),
        ((200, {}, b"<html>"), UpstreamError, "not JSON"),
    ],
)  # fmt: skip
def test_an_error_says_what_and_where(answer: Answer, kind: type[Exception], says: str) -> None:
    """Each refusal names the server, the path and what it said; a redirect, which would take the key along, is one."""
    with answering(lambda path, body: answer) as url, pytest.raises(kind, match=says) as raised:
        client(url).get("/x")

    assert url in str(raised.value)


def test_nobody_there_says_that_it_goes_on_later() -> None:
    """A server that is not there is tried again, and then is an error that says the command can be run again."""
    slept: list[float] = []
    with pytest.raises(UpstreamError, match="no answer from Tool") as raised:
        client("http://127.0.0.1:9", slept).get("/x")

    assert len(slept) == 3
    assert "Run the same command again" in str(raised.value.hint)


def span(number: int, **told: Any) -> OtlpSpan:
    """Return a span as OTLP/JSON."""
    return OtlpSpan({}, {}, {"traceId": f"{number:032x}", "spanId": f"{number:016x}", **told})


def test_what_is_too_large_is_sent_in_halves() -> None:
    """413 is answered by halves, down to one span, which is counted; what the server refuses is counted too."""
    taken: list[str] = []

    def answer(path: str, body: bytes) -> Answer:
        if path != "/v1/traces":
            return 400, {}, b'{"error": {"message": "no such label"}}'
        ids = [one["spanId"] for group in json.loads(body)["resourceSpans"] for one in group["scopeSpans"][0]["spans"]]
        if len(ids) > 2 or f"{3:016x}" in ids:
            return 413, {}, b'{"message": "too large"}'
        taken.extend(ids)
        told = {"partialSuccess": {"rejectedSpans": "1", "errorMessage": "odd"}} if f"{5:016x}" in ids else {}
        return 200, {}, json.dumps(told).encode()

    page = Page(spans=[span(number) for number in range(1, 6)], scores=[{"id": "s", "name": "n"}])
    with answering(answer) as url:
        Server(client(url), "x").page(page)

    assert sorted(taken) == [f"{number:016x}" for number in (1, 2, 4, 5)]
    assert (page.refused_spans, page.refused_scores) == (2, 1)
    assert {reason.partition(":")[0] for reason in page.skipped} == {
        "a span is larger than the server takes (WATCHKEEPER_MAX_BODY_MIB)", "the server does not store",
        "the server refused a score",
    }  # fmt: skip


def test_a_dry_run_reads_as_the_server_would() -> None:
    """A dry run counts what the server would not store, with its reason."""
    page = Page(spans=[span(1), span(2, traceId="short")])
    DryRun("x").page(page)

    assert page.refused_spans == 1
    assert "trace id" in next(iter(page.skipped))


def test_values_go_to_otlp_and_back() -> None:
    """Every kind of value is written as OTLP/JSON and read again, integers beyond 64 bits as text."""
    given = {"a": True, "b": -3, "c": 1.5, "d": ["x", 1], "e": {"f": None, "g": "h"}, "i": 2**70, "j": float("inf")}
    found = {one["key"]: value_of(one["value"]) for one in attributes(given)}

    assert found == {**given, "i": str(2**70)}
