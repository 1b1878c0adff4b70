"""The local model behind llama.cpp's OpenAI-compatible server, in a process of its own: `python -m watchkeeper.demo.engine`.

A process of its own, so that an engine that crashes does not take the server with it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

__all__ = ["main"]


def main(model: Path, port: int) -> None:
    """Serve the model on a loopback port until SIGTERM."""
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(model)
    parameters.model_alias = {"smollm2-135m-instruct"}
    parameters.n_ctx = 4096
    parameters.n_parallel = 2
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = port
    parameters.cpuparams.n_threads = os.cpu_count() or 1
    parameters.cpuparams_batch.n_threads = os.cpu_count() or 1
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    server = xllamacpp.Server(parameters)
    stop.wait()
    del server


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
