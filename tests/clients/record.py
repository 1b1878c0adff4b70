"""Record what the real clients send, as fixtures: `python -m tests.clients.record [NAME…]` (needs `make clients`).

A name without a variant records every variant too. Bodies are kept as they came, several requests of one signal joined
(protobuf messages join by concatenation); OTLP/JSON is written as protobuf, and what is not OTLP as JSON. Only what tells
of the machine they were recorded on is replaced.
"""

from __future__ import annotations

import getpass
import json
import platform
import re
import socket
import sys
from pathlib import Path

from google.protobuf.message import Message
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from tests.clients import run
from tests.clients.client import Setup, setups
from tests.clients.sink import KINDS, Sink

FIXTURES = Path(__file__).parents[1] / "ingest" / "fixtures"
MACHINE: dict[str, str | int] = {
    "os.version": "1", "host.name": "host", "host.id": "host", "process.owner": "user", "process.pid": 1, "process.parent_pid": 1,
    "server.port": 8000, "net.peer.port": 8000, "network.peer.port": 8000, "thread.id": 1, "service.instance.id": "instance",
}  # fmt: skip
"""Attributes whose value is the machine's or the moment's, and what is written instead."""


def record(setup: Setup) -> None:
    """Run a client against a sink and the fake providers, and save what arrived in place of what was recorded before."""
    sink = Sink()
    with run.providing() as providers:
        run.run(setup, run.Place(sink.url), providers)
    sink.shutdown()
    clean = _cleaner(sink.url, providers)
    for old in FIXTURES.glob(f"{setup.name}.*"):
        old.unlink()
    for signal, bodies in sorted(sink.bodies.items()):
        message = KINDS[signal].FromString(b"".join(bodies))
        scrub(message, clean)
        _save(f"{setup.name}.{signal}.pb", message.SerializeToString(deterministic=True), len(bodies))
    if sink.calls:
        text = clean(json.dumps(sink.calls, indent=1, ensure_ascii=False)) + "\n"
        _save(f"{setup.name}.calls.json", text.encode(), len(sink.calls))


class _Cleaner:
    """Replaces this machine's paths, names and ports in a text."""

    def __init__(self, pairs: dict[str, str]) -> None:
        self._pairs = pairs
        self._what = re.compile("|".join(re.escape(one) for one in sorted(pairs, key=len, reverse=True)))
        self._home = re.compile(r"[\w/.-]*/client-home-\w+")

    def __call__(self, text: str) -> str:
        return self._home.sub("/home", self._what.sub(lambda found: self._pairs[found[0]], text))


def _cleaner(sink: str, providers: run.Providers) -> _Cleaner:
    pairs = {
        str(run.VENVS): "/venvs",
        str(run.ROOT): "/app",
        sys.base_prefix + "/": "/python/",
        sys.prefix + "/": "/python/",
        str(Path.home()) + "/": "/home/",
        sink.removeprefix("http://"): "127.0.0.1:7070",
        providers.openai.removeprefix("http://").removesuffix("/v1"): "127.0.0.1:8000",
        providers.anthropic.removeprefix("http://"): "127.0.0.1:8000",
        providers.mistral.removeprefix("http://"): "127.0.0.1:8000",
        providers.gemini.removeprefix("http://"): "127.0.0.1:8000",
        socket.gethostname(): "host",
        platform.release(): "1",
    }
    if (user := getpass.getuser()) != "root":  # a word that stands elsewhere too, and tells nothing
        pairs[user] = "user"
    return _Cleaner(pairs)


def scrub(message: Message, clean: _Cleaner) -> None:
    """Replace what tells of the machine, in every text of a message and in the attributes that name it."""
    if isinstance(message, KeyValue) and message.key in MACHINE:
        told = MACHINE[message.key]
        message.value.CopyFrom(AnyValue(int_value=told) if isinstance(told, int) else AnyValue(string_value=told))
        return
    if isinstance(message, AnyValue) and message.HasField("string_value"):
        message.string_value = clean(message.string_value)
    for field, value in message.ListFields():
        if field.message_type is not None:
            for item in value if field.is_repeated else (value,):
                scrub(item, clean)
        elif field.name in {"message", "name"} and isinstance(value, str):
            setattr(message, field.name, clean(value))


def _save(name: str, body: bytes, requests: int) -> None:
    FIXTURES.mkdir(exist_ok=True)
    (FIXTURES / name).write_bytes(body)
    sys.stdout.write(f"{name}: {len(body)} bytes of {requests} requests\n")


if __name__ == "__main__":
    for setup in setups().values():
        if not sys.argv[1:] or {setup.name, setup.folder} & set(sys.argv[1:]):
            record(setup)
