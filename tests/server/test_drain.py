"""A refusal reaches a client that was still sending."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest
from starlette.types import Message, Receive, Scope, Send

from tests.serving import Served, serving
from watchkeeper.server import drain

MIB = 1 << 20


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server whose bodies may be one mebibyte."""
    with serving(
        tmp_path_factory.mktemp("drain"), projects=("alpha",), environ={"WATCHKEEPER_MAX_BODY_MIB": "1"}
    ) as served:
        yield served


def _slowly(served: Served, head: str, body: bytes) -> bytes:
    """Send a body in pieces, never looking at the answer until all is sent, as most clients do."""
    host, _, port = served.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=60) as line:
        line.sendall(f"{head}\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n\r\n".encode())
        for at in range(0, len(body), MIB):
            line.sendall(body[at : at + MIB])
        return line.recv(65_536)


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("POST /v1/traces HTTP/1.1\r\nContent-Type: application/x-protobuf\r\nAuthorization: Bearer {key}", 413),
        ("POST /v1/traces HTTP/1.1\r\nContent-Type: application/x-protobuf\r\nAuthorization: Bearer sk-nobody", 401),
        ("POST /mcp HTTP/1.1\r\nContent-Type: application/json\r\nAuthorization: Bearer {key}", 413),
        ("POST /nowhere HTTP/1.1\r\nAuthorization: Bearer {key}", 403),
    ],
)
def test_a_client_that_sends_on_reads_why_it_is_refused(house: Served, head: str, status: int) -> None:
    """Twenty mebibytes are sent to the end, and then the refusal is there to read."""
    answer = _slowly(house, head.format(key=house.keys["alpha"]), b"x" * (20 * MIB))

    assert answer.startswith(f"HTTP/1.1 {status} ".encode())


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 413, "headers": []})
    await send({"type": "http.response.body", "body": b"too much"})


async def _ask(receive: Receive, *headers: tuple[bytes, bytes]) -> list[Message]:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await drain.DrainMiddleware(_refuse)({"type": "http", "headers": list(headers)}, receive, send)
    return sent


async def test_a_body_without_end_is_refused_all_the_same() -> None:
    """After so many bytes nothing more is read."""
    read = 0

    async def receive() -> Message:
        nonlocal read
        read += MIB
        return {"type": "http.request", "body": b"x" * MIB, "more_body": True}

    assert [one["type"] for one in await _ask(receive, (b"transfer-encoding", b"chunked"))][-1] == "http.response.body"
    assert drain.MOST < read <= drain.MOST + 2 * MIB


async def test_a_body_that_never_comes_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that stops in the middle is answered after a while."""
    monkeypatch.setattr(drain, "SECONDS", 0.05)

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    assert (await _ask(receive, (b"content-length", b"9")))[0]["status"] == 413


async def test_a_client_that_waits_to_be_asked_is_not_asked() -> None:
    """With `Expect: 100-continue` the refusal is the answer, and no body is read."""

    async def receive() -> Message:
        raise AssertionError

    assert len(await _ask(receive, (b"content-length", b"9"), (b"expect", b"100-continue"))) == 2
