"""The empty dashboard: what it tells people to paste, pasted."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hatch_build import find_node
from playwright.sync_api import Browser, Page, expect

from tests.clients import run
from tests.clients.client import setups, versions
from tests.ui.conftest import Look, Server, running, unreachable

STACKS = Path(__file__).parents[2] / "ui/src/features/start/stacks.json"
CLIENTS = {
    "watchkeeper": None,
    "opentelemetry": "genai",
    "langfuse": "langfuse5",
    "phoenix": "phoenix",
    "openllmetry": "traceloop",
    "logfire": "logfire",
    "pydantic-ai": "pydantic-ai",
    "mlflow": "mlflow",
    "openlit": "openlit",
    "litellm": "litellm",
    "helicone": "helicone",
    "js-vercel": "js-vercel",
    "js-langfuse": "js-langfuse",
    "js-phoenix": "js-phoenix",
    "curl": None,
}
"""In whose environment of `tests/clients` a snippet runs: None for ours."""
AGENTS = {"claude-code": "js-claude-code", "gemini-cli": "js-gemini-cli"}
"""Whose command wants more of a machine than what is pasted, such as a login: their settings are those that are run."""


@dataclass
class Pasted:
    """A server, and what its page says to paste for each stack: `In a shell`, the file's name, `Run it`."""

    server: Server
    texts: dict[str, dict[str, str]]


def steps(page: Page) -> dict[str, str]:
    """Return the texts to paste, by their headings."""
    return {
        part.get_attribute("aria-label") or "": part.locator("pre").inner_text()
        for part in page.locator(".start-steps section").all()
    }


@pytest.fixture(scope="module")
def pasted(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pasted]:
    """Read the page, with a key made on it, stack by stack."""
    with running(tmp_path_factory.mktemp("start")) as server:
        page = browser.new_context().new_page()
        page.goto(server.url)
        page.get_by_role("button", name="Make a key").click()
        expect(page.get_by_text("only until you leave this page")).to_be_visible()
        texts = {}
        for stack in json.loads(STACKS.read_text()):
            page.locator(f"[data-stack={stack['id']}]").click()
            texts[stack["id"]] = steps(page)
        page.context.close()
        yield Pasted(server, texts)


@pytest.mark.browser
def test_a_key_is_asked_for_only_where_one_is_needed(empty: Server, look: Look) -> None:
    """On this machine no snippet names a key but those of SDKs that send nothing without one, and these say so."""
    page, seen = look(empty, "/", viewport={"width": 1280, "height": 860})
    for stack in json.loads(STACKS.read_text()):
        page.locator(f"[data-stack={stack['id']}]").click()
        texts = "\n".join(steps(page).values())
        assert ("sk-…" in texts, "{{" in texts) == (stack.get("needsKey", False), False), stack["id"]
        expect(page.get_by_text("needs a key to send")).to_have_count(int(stack.get("needsKey", False)))
    assert (unreachable(page), seen.complaints, seen.foreign) == ([], [], [])


@pytest.mark.browser
def test_the_page_says_what_arrived(empty: Server, look: Look) -> None:
    """What curl's snippet sends turns the check green, with the call's name, its service and the words it came in."""
    page, _ = look(empty, "/")
    page.locator("[data-stack=curl]").click()
    subprocess.run(["bash", "-ec", steps(page)["In a shell"]], check=True, capture_output=True)
    check = page.get_by_test_id("first-span")
    expect(check).to_contain_text("chat gpt-4o-mini from my-app, in the words of otel_genai")
    expect(page.get_by_role("heading", level=1)).to_have_text("Something to watch")


@pytest.mark.browser
def test_every_stack_is_run_or_only_settings(pasted: Pasted) -> None:
    """Every stack of the page is run below as it is pasted, and every one names this server and the key just made."""
    missing = set(pasted.texts) - set(CLIENTS) - set(AGENTS)
    unnamed = [name for name, texts in pasted.texts.items() if pasted.server.url not in texts["In a shell"]]
    keyless = [name for name, texts in pasted.texts.items() if "sk-wk-" not in texts["In a shell"]]
    assert (missing, unnamed, keyless) == ({"otlp"}, [], [])


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("stack", CLIENTS)
def test_what_the_page_says_to_paste_works(stack: str, pasted: Pasted) -> None:
    """Pasted into a shell and a file, a snippet sends its model call, with its tokens, and nothing complains."""
    texts = pasted.texts[stack]
    before = {span["span_id"] for span in calls(pasted.server)}
    client = CLIENTS[stack]
    home = run.home(client) if client else Path(sys.prefix)
    installs, settings = split(texts["In a shell"])
    if client is not None:
        assert named(installs) <= set(locked(client)), "the snippet installs what nobody tested"
    with run.providing() as providers, tempfile.TemporaryDirectory(prefix="start-home-") as nobody:
        # Node looks for packages beside the file.
        folder = home / f"pasted-{os.getpid()}" if "app.mjs" in texts else Path(nobody)
        folder.mkdir(exist_ok=True)
        for name in ("app.py", "app.mjs"):
            if name in texts:
                (folder / name).write_text(texts[name])
        paths = [str(home / "bin"), str(home / "node_modules/.bin"), str(find_node(run.NODE)[0].parent), os.environ["PATH"]]
        done = subprocess.run(
            ["bash", "-ec", f"{settings}\n{texts.get('Run it', '')}"],
            cwd=folder, capture_output=True, text=True, check=False, timeout=120,
            env=run.surroundings(providers, nobody) | {"PATH": os.pathsep.join(paths)},
        )  # fmt: skip
        if folder.parent == home:
            shutil.rmtree(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert run.UNSENT.search(done.stdout + done.stderr) is None, done.stdout + done.stderr
    found = arrived(pasted.server, before)
    assert [(span["service"], span["model"][:11], (span["input_tokens"] or 0) > 0) for span in found] == [
        ("my-app", "gpt-4o-mini", True)
    ]


@pytest.mark.browser
@pytest.mark.parametrize("agent", AGENTS)
def test_an_agents_settings_are_those_that_are_run(agent: str, pasted: Pasted) -> None:
    """Every variable that is pasted for a coding agent is one that its client in `tests/clients` is run with."""
    run_with = next(one for one in setups().values() if one.folder == AGENTS[agent]).environment
    exports = [line for line in pasted.texts[agent]["In a shell"].splitlines() if line.startswith("export ")]
    names = dict(word.partition("=")[::2] for line in exports for word in shlex.split(line)[1:])
    ours = {"OTEL_SERVICE_NAME", "OTEL_EXPORTER_OTLP_HEADERS"} | {name for name in names if name.endswith("_ENDPOINT")}

    assert names.keys() <= run_with.keys()
    assert {name: value for name, value in names.items() if name not in ours and run_with[name] != value} == {}


def split(shell: str) -> tuple[list[str], str]:
    """Part a shell's text into the commands that install, and the rest."""
    commands = re.split(r"(?<!\\)\n", shell)
    installs = [one for one in commands if re.match(r"(pip|npm) install ", one)]
    return installs, "\n".join(one for one in commands if one not in installs)


def named(installs: list[str]) -> set[str]:
    """Return the packages that commands install, extras aside."""
    words = [word for one in installs for word in shlex.split(one.replace("\\\n", " "))[2:]]
    return {word.partition("[")[0] for word in words}


def locked(client: str) -> dict[str, str]:
    """Return every package of a client's lock."""
    return versions(client, everything=True)


def calls(server: Server) -> list[dict[str, Any]]:
    """Return the model calls that a server has."""
    return [span for span in server.api("/spans?limit=500")["items"] if span["kind"] == "llm"]


def arrived(server: Server, before: set[str]) -> list[dict[str, Any]]:
    """Wait for a call that was not there before; return all such."""
    for _ in range(100):
        found = [span for span in calls(server) if span["span_id"] not in before]
        if found:
            return found
        time.sleep(0.1)
    return []
