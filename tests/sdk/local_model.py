"""The real local model behind llama.cpp's server, as the demo runs it: speaks OpenAI's, Mistral's and Anthropic's API."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from watchkeeper.demo.model import cached_model

MODEL = "smollm2-135m-instruct"


@contextmanager
def engine() -> Iterator[str]:
    """Run the engine on a free port; gives its address."""
    weights = cached_model()
    assert weights.is_file(), "the model is not in the cache: python -m watchkeeper.demo.fetch"
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    words = [sys.executable, "-m", "watchkeeper.demo.engine", str(weights), str(port)]
    child = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ))
    try:
        _await(f"http://127.0.0.1:{port}", child)
        yield f"http://127.0.0.1:{port}"
    finally:
        child.terminate()
        child.wait(30)


def _await(url: str, child: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 120
    while child.poll() is None and time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)
    raise RuntimeError("the engine did not start")
