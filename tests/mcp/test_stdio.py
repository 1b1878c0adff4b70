"""`watchkeeper mcp`, started by the SDK's own client as an assistant starts it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TypeAlias

import pytest
from mcp import Client

from tests.cli.conftest import run
from tests.mcp.conftest import EVERY, ask, refused
from tests.otlp import TRACE

Start: TypeAlias = Callable[..., AbstractAsyncContextManager[Client]]


async def test_an_assistant_sees_what_its_key_sees(stdio: Start) -> None:
    """Started with alpha's key, each tool answers over stdio; with beta's, alpha's trace is not there."""
    async with stdio("alpha") as client:
        found = {name: await ask(client, name, **arguments) for name, arguments in EVERY.items()}
    async with stdio("beta") as client:
        gone = await refused(client, "show_trace", trace_id=TRACE)

    assert found["show_trace"]["trace"]["trace_id"] == TRACE
    assert "there is no trace" in gone


@pytest.mark.parametrize(("who", "why"), [("sender", "scope 'read'"), ("sk-wrong", "not known")])
async def test_a_key_that_may_not_read_is_told_so(stdio: Start, who: str, why: str) -> None:
    """Each tool refuses a key that may only send, and one that nobody knows, and says why."""
    async with stdio(who) as client:
        said = [await refused(client, name, **arguments) for name, arguments in EVERY.items()]

    assert [one for one in said if why not in one] == []


async def test_the_folders_server_is_found_without_a_url(stdio: Start, folder: Path) -> None:
    """With a data folder the server that holds it is asked, for the project that is named."""
    async with stdio("", "--data-dir", str(folder / "data"), "--project", "alpha") as client:
        found = await ask(client, "find_traces", user="ada")

    assert [one["trace_id"] for one in found["traces"]] == [TRACE]


async def test_where_nobody_answers_tools_say_so(stdio: Start, tmp_path: Path) -> None:
    """Without a server the assistant still starts, and each call says what to do; a url that is none is refused."""
    async with stdio("", "--data-dir", str(tmp_path)) as client:
        unheld = await refused(client, "overview")
    async with stdio("", "--url", "http://127.0.0.1:9") as client:
        silent = await refused(client, "overview")
    async with stdio("", "--url", "file:///etc") as client:
        wrong = await refused(client, "overview")

    assert "start watchkeeper serve" in unheld
    assert "is the server running?" in silent
    assert "not a server's address" in wrong


def test_the_verb_explains_itself() -> None:
    """`watchkeeper mcp --help` names its options and how to add it to an assistant."""
    said = " ".join(run("mcp", "--help").stdout.split())

    assert "--url" in said
    assert "claude mcp add" in said
