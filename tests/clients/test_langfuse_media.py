"""Langfuse's SDKs with media, run as they are against a running server."""

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

pytestmark = pytest.mark.slow

CLIENTS = ("langfuse3", "langfuse4", "langfuse5", "js-langfuse")
NOBODY = run.Providers(run.NOWHERE, run.NOWHERE, run.NOWHERE, run.NOWHERE)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Run one server with a project for each generation."""
    with serving(tmp_path_factory.mktemp("media"), projects=CLIENTS) as served:
        yield served


@pytest.mark.parametrize("name", CLIENTS)
def test_an_sdk_keeps_its_media_here(name: str, server: Served, tmp_path: Path) -> None:
    """Every generation uploads an image out of an input, reads it back byte for byte, and resolves its reference."""
    told = use(name, server, tmp_path)
    _, trace, _ = server.call(f"/api/v1/traces/{told.pop('trace')}", project=name)
    spans = json.loads(trace)["spans"]
    _, span, _ = server.call(f"/api/v1/traces/{spans[0]['trace_id']}/spans/{spans[0]['span_id']}", project=name)
    reference, page = told.pop("reference"), told.pop("page")

    assert told == {"same": True, "about": ["image/png", 8 + 256 * 40], "resolved": True}
    assert reference.encode() in span
    assert f"id={page}".encode() in span


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
        return [str(find_node(run.NODE)[0]), str(run.sources(name, home) / "media.mjs")]
    python = home / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    return [str(python), "-m", "tests.clients.langfuse_media"]
