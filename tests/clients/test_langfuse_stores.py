"""Langfuse's SDKs with prompts and datasets, run as they are against a running server."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hatch_build import find_node

from tests.clients import run
from tests.serving import Served, serving
from watchkeeper.store.datasets import run_id

pytestmark = pytest.mark.slow

CLIENTS = ("langfuse3", "langfuse4", "langfuse5", "js-langfuse")
NOBODY = run.Providers(run.NOWHERE, run.NOWHERE, run.NOWHERE, run.NOWHERE)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Run one server with a project for each generation."""
    with serving(tmp_path_factory.mktemp("stores"), projects=CLIENTS, scopes=("admin",)) as served:
        yield served


@pytest.mark.parametrize("name", CLIENTS)
def test_an_sdk_keeps_its_prompts_and_datasets_here(name: str, server: Served, tmp_path: Path) -> None:
    """Every generation makes, finds, moves and deletes prompts, runs an experiment over a dataset, and reads a session."""
    told = use(name, server, tmp_path)

    assert told["prompts"] == {
        "made": 1, "production": "Hi you", "config": {"model": "m"}, "version": "Hello {{who}}", "staging": 2,
        "latest": 2, "fallback": "plan b", "moved": 2, "listed": ["folder/greet", "talk"], "left": ["folder/greet"],
        "chat": [{"role": "system", "content": "Be kind"}, {"role": "user", "content": "Weather?"}],
    }  # fmt: skip
    talk = {"listed": ["talk/1"], "users": ["ada", "ada"], "told": [1, 2]}
    assert told["sessions"] == (None if name == "langfuse5" else talk)
    made = told["datasets"]
    dataset = json.loads(server.call("/api/public/v2/datasets/folder%2Fcities", project=name)[1])
    run = run_id(name, dataset["id"], "try/1")

    assert made.pop("read", None) == ([run, ["paris", "rome"]] if name != "langfuse5" else None)
    assert made.pop("runs", None) == (["try/1"] if name != "langfuse5" else None)
    assert made == {
        "metadata": {"team": "weather"}, "items": [["paris", "Paris", "rain"], ["rome", "Rome", "heat"]],
        "outputs": ["rain", "snow"], "run": run, "left": ["paris"],
    }  # fmt: skip


def use(name: str, server: Served, nobody: Path) -> dict[str, Any]:
    """Run the script in a client's environment, and return what it printed."""
    done = subprocess.run(
        _words(name),
        cwd=run.ROOT,
        env=run.surroundings(NOBODY, str(nobody))
        | {
            "PYTHONPATH": str(run.ROOT),
            "LANGFUSE_BASE_URL": server.url,
            "LANGFUSE_PUBLIC_KEY": f"pk-{name}",
            "LANGFUSE_SECRET_KEY": server.keys[name],
        },
        capture_output=True,
        text=True,
        timeout=run.SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def _words(name: str) -> list[str]:
    home = run.home(name)
    if name == "js-langfuse":
        return [str(find_node(run.NODE)[0]), str(run.sources(name, home) / "stores.mjs")]
    python = home / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    return [str(python), "-m", "tests.clients.langfuse_stores"]
