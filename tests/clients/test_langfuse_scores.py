"""Scores by the real SDKs of Langfuse, three generations, against a running server."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator

import pytest

from tests.clients import run
from tests.clients.client import setups
from tests.serving import Served, serving

pytestmark = pytest.mark.slow

GENERATIONS = ("langfuse3", "langfuse4", "langfuse5")
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Run a server with a project for each generation."""
    with serving(tmp_path_factory.mktemp("scores"), projects=GENERATIONS) as served:
        yield served


@pytest.mark.parametrize("client", GENERATIONS)
def test_scores_arrive_by_every_generation(client: str, server: Served) -> None:
    """`auth_check` says yes, and a number, a word, a truth and a session's score are stored as they were given."""
    settings = {
        "LANGFUSE_BASE_URL": server.url, "LANGFUSE_PUBLIC_KEY": f"pk-{client}", "LANGFUSE_SECRET_KEY": server.keys[client],
    }  # fmt: skip
    python = run.home(setups()[client].folder) / "bin/python"
    with run.providing() as providers, tempfile.TemporaryDirectory(prefix="score-home-") as nobody:
        done = subprocess.run(
            [str(python), "-m", "tests.clients.langfuse5.scoring", TRACE, SPAN], cwd=run.ROOT, check=False, timeout=120,
            capture_output=True, text=True, env=run.surroundings(providers, nobody) | settings,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr

    status, body, _ = server.call("/api/v1/scores", project=client)
    assert status == 200, body
    found = {
        one["name"]: (one["value"], one["label"], one["trace_id"], one["span_id"], one["session_id"])
        for one in json.loads(body)["items"]
    }
    assert found == {
        "helpful": (0.75, None, TRACE, None, None),
        "tone": (None, "friendly", TRACE, SPAN, None),
        "safe": (1.0, "true", TRACE, None, None),
        "happy": (1.0, None, None, None, "session-1"),
    }
