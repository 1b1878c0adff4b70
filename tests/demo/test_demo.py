"""The main job on the real local model."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from watchkeeper.demo.model import cached_model

pytestmark = [pytest.mark.slow, pytest.mark.model]


def free_port() -> int:
    """Return a port nobody listens on now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def get(url: str) -> Any:
    """Read JSON."""
    with urllib.request.urlopen(url, timeout=30) as answer:
        return json.load(answer)


def test_a_taken_port_is_said_before_anything_starts() -> None:
    """The demo on a port in use ends with 2 and names the option."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        words = [sys.executable, "-m", "watchkeeper.cli", "demo", "--port", str(taken.getsockname()[1])]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode == 2
    assert "--port" in done.stderr


def test_the_demo_traces_a_real_model(tmp_path: Path) -> None:
    """One command gives priced trace trees of agent, retriever, tool and model spans, streams and one failure among them."""
    assert cached_model().is_file(), "the model is not in the cache: python -m watchkeeper.demo.fetch"
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    words = [sys.executable, "-m", "watchkeeper.cli", "demo", "--port", str(port), "--data-dir", str(tmp_path)]
    child = subprocess.Popen(
        [*words, "--seconds", "240"], stderr=subprocess.PIPE, text=True, env={**os.environ, "NO_COLOR": "1"}
    )
    assert child.stderr is not None
    try:
        first = next(found[1] for line in child.stderr if (found := re.search(r"/traces/([0-9a-f]{32})", line)))
        tree = get(f"{url}/api/v1/traces/{first}")
        failing: list[Any] = []
        end = time.monotonic() + 200
        while not failing and time.monotonic() < end:
            failing = get(f"{url}/api/v1/traces?status=error")["items"]
            time.sleep(0.2)
        streams = get(f"{url}/api/v1/spans?kind=llm&limit=50")["items"]
    finally:
        child.terminate()
        code = child.wait(60)
        child.stderr.close()

    call = next(span for span in tree["spans"] if span["kind"] == "llm")
    assert {span["kind"] for span in tree["spans"]} == {"workflow", "agent", "retriever", "llm"}
    assert call["input_tokens"] > 20
    assert int(call["cost_nano_usd"]) > 0
    assert call["output"]
    assert tree["scores"][0]["name"] == "answered"
    assert [trace["name"] for trace in failing] == ["summarise-everything"]
    assert any(span["time_to_first_token_ns"] for span in streams)
    assert code == 0
