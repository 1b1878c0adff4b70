"""Run a real client's app in its own environment, configured only as its own documentation says."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
VENVS = Path(os.environ.get("WATCHKEEPER_CLIENT_VENVS", ROOT / ".venv-clients"))
LOOPBACK = {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}


def venv(name: str) -> Path:
    """Return a client's environment.

    Raises:
        AssertionError: it is missing; the message is the line that makes it.
    """
    found = VENVS / name
    if not (found / "bin" / "python").exists():
        make = f"python3 -m venv {found} && {found}/bin/pip install -r tests/clients/{name}/requirements.txt"
        raise AssertionError(f"the client environment {found} is missing; make it with:\n{make}")
    return found


def phoenix(collector: str, model: str) -> None:
    """Run the Phoenix client."""
    _run(
        [str(venv("phoenix") / "bin/python"), "-m", "tests.clients.phoenix.app"],
        model,
        PHOENIX_COLLECTOR_ENDPOINT=collector,
    )


def genai(collector: str, model: str, capture: str = "SPAN_ONLY") -> None:
    """Run OpenTelemetry's zero-code client; `capture` says where its message content goes."""
    home = venv("genai") / "bin"
    _run(
        [str(home / "opentelemetry-instrument"), str(home / "python"), "-m", "tests.clients.genai.app"],
        model,
        OTEL_SERVICE_NAME="weather-bot",
        OTEL_RESOURCE_ATTRIBUTES="deployment.environment.name=test,service.version=1.2.3",
        OTEL_EXPORTER_OTLP_ENDPOINT=collector,
        OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf",
        OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=capture,
        OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT=str("EVENT" in capture).lower(),
    )


def _run(command: list[str], model: str, **settings: str) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "PHOENIX_", "OPENAI_"))}
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={
            **kept,
            **LOOPBACK,
            "PYTHONPATH": str(ROOT),
            "OPENAI_BASE_URL": model,
            "OPENAI_API_KEY": "none",
            **settings,
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Failed to export" not in done.stderr, done.stderr
