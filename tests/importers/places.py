"""The tools history comes from, as they are on PyPI: each in an environment of its own, on loopback, filled with known data.

`python -m tests.importers.places` installs them; `python -m tests.importers.places record` writes anew what they answer.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.clients.conversation import SERVICE
from tests.clients.install import ensure
from tests.clients.run import KEPT, ROOT, VENVS, providing, surroundings
from tests.ingest.recorded import body, raws
from tests.serving import free_port, wait_until
from watchkeeper.importers import Client, MLflow, Phoenix, Source, Window

ENVIRONMENTS = Path(__file__).parent / "envs"
FIXTURES = Path(__file__).parent / "fixtures"
TRACE, ASK, SESSION = "9ebef423d1169558fa5eec2b516779d5", "b4609c2d16109e10", "session-1"
"""The recorded conversation of Phoenix's own client, its first call, and its session."""


def home(name: str) -> Path:
    """Return the folder of an environment's programs.

    Raises:
        AssertionError: it is not installed; the message is the line that installs it.
    """
    found = VENVS / f"import-{name}"
    if not (found / ".done").exists():
        raise AssertionError(f"{found} is missing; install it with: python -m tests.importers.places")
    return found / ("Scripts" if sys.platform == "win32" else "bin")


@contextmanager
def running(words: list[str], url: str, ready: str, folder: Path, environ: dict[str, str]) -> Iterator[None]:
    """Run a server with nothing of our own environment but the path."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    log = folder / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            words,
            cwd=folder,
            stdout=out,
            stderr=out,
            env={**kept, "HOME": str(folder), **environ},
            start_new_session=True,
        )

    def up() -> bool:
        with urllib.request.urlopen(url + ready, timeout=5) as answer:
            return bool(answer.status == 200)

    try:
        wait_until(up, process, log)
        yield
    finally:
        os.killpg(process.pid, 15)  # its own workers too
        process.wait(60)


def post(url: str, told: object, kind: str = "application/json") -> Any:
    """Post JSON, or bytes as they are."""
    sent = told if isinstance(told, bytes) else json.dumps(told).encode()
    with urllib.request.urlopen(urllib.request.Request(url, sent, {"Content-Type": kind}), timeout=60) as answer:
        return json.loads(answer.read() or b"null")


@contextmanager
def phoenix() -> Iterator[str]:
    """Run Phoenix with the recorded conversation and annotations of a span, its trace and its session; yield its address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory(prefix="phoenix-") as folder:
        settings = {
            "PHOENIX_WORKING_DIR": folder, "PHOENIX_HOST": "127.0.0.1", "PHOENIX_PORT": str(port),
            "PHOENIX_GRPC_PORT": str(free_port()), "PHOENIX_TELEMETRY_ENABLED": "false",
            "PHOENIX_ALLOW_EXTERNAL_RESOURCES": "false",
        }  # fmt: skip
        with running([str(home("phoenix") / "phoenix"), "serve"], url, "/healthz", Path(folder), settings):
            _urllib(f"{url}/v1/traces", body("phoenix"))
            _until(lambda: _get(f"{url}/v1/projects/weather-bot/spans?limit=100"), 7)
            about = {"span": ("span_id", ASK), "trace": ("trace_id", TRACE), "session": ("session_id", SESSION)}
            for kind, (key, value) in about.items():
                result = {"label": "good", "score": 0.75, "explanation": f"about the {kind}"}
                judged = {key: value, "name": "helpful", "annotator_kind": "LLM", "result": result}
                human = {**judged, "annotator_kind": "HUMAN", "identifier": "ann", "result": {"score": 1}}
                post(f"{url}/v1/{kind}_annotations?sync=true", {"data": [judged, human]})
            yield url


def _urllib(url: str, sent: bytes) -> None:
    with urllib.request.urlopen(
        urllib.request.Request(url, sent, {"Content-Type": "application/x-protobuf"}), timeout=60
    ) as answer:
        assert answer.status == 200


def _get(url: str) -> list[Any]:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return list(json.loads(answer.read())["data"])
    except OSError:
        return []


def _until(ask: Callable[[], list[Any]], count: int) -> None:
    for _ in range(300):
        if len(ask()) >= count:
            return
        time.sleep(0.1)
    raise AssertionError(f"it never had {count}")


@contextmanager
def mlflow() -> Iterator[str]:
    """Run MLflow, have its own client make the conversation, and judge it; yield its address."""
    url = f"http://127.0.0.1:{free_port()}"
    nobody = {"MLFLOW_DISABLE_TELEMETRY": "true"}
    with tempfile.TemporaryDirectory(prefix="mlflow-") as folder, providing() as providers:
        words = [
            str(home("mlflow") / "mlflow"), "server", "--host", "127.0.0.1", "--port", url.rpartition(":")[2], "--workers", "1",
            "--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", f"{folder}/artifacts",
        ]  # fmt: skip
        with running(words, url, "/health", Path(folder), nobody):
            subprocess.run(
                [str(home("mlflow") / "python"), "-m", "tests.clients.mlflow.app"], cwd=ROOT, check=True, timeout=180,
                env=surroundings(providers, folder)
                | nobody
                | {"PYTHONPATH": str(ROOT), "MLFLOW_TRACKING_URI": url, "MLFLOW_EXPERIMENT_NAME": SERVICE,
                   "WEATHER_BOT_TAGS": "yes"},
            )  # fmt: skip
            trace = _mlflow_trace(url)
            for name, kind, feedback in (
                ("helpful", "LLM_JUDGE", {"value": 0.75}),
                ("tone", "HUMAN", {"value": "friendly"}),
            ):
                told = {
                    "assessment_name": name,
                    "source": {"source_type": kind, "source_id": "ann"},
                    "feedback": feedback,
                }
                told |= {
                    "create_time": "2026-11-26T12:00:00Z",
                    "last_update_time": "2026-11-26T12:00:00Z",
                    "rationale": "so",
                }
                post(f"{url}/api/3.0/mlflow/traces/{trace}/assessments", {"assessment": {**told, "trace_id": trace}})
            yield url


def _mlflow_trace(url: str) -> str:
    where = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "1"}}
    found = post(f"{url}/api/3.0/mlflow/traces/search", {"locations": [where], "max_results": 10})["traces"]
    assert len(found) == 1
    return str(found[0]["trace_id"])


class Recording(Client):
    """Keeps each question with its answer."""

    answers: dict[str, Any]

    def send(self, method: str, path: str, body: bytes | None = None) -> Any:
        """Ask, and keep."""
        answer = super().send(method, path, body)
        self.answers[f"{method} {path} {'' if body is None else body.decode()}"] = answer
        return answer


class Replaying(Client):
    """Answers what was recorded, and nothing else."""

    def __init__(self, name: str) -> None:
        super().__init__("http://127.0.0.1:9", {}, whose=name, key_hint="")
        self.answers: dict[str, Any] = json.loads((FIXTURES / f"{name}.json").read_text())

    def send(self, method: str, path: str, body: bytes | None = None) -> Any:
        """Answer from the record."""
        return self.answers[f"{method} {path} {'' if body is None else body.decode()}"]


SOURCES: dict[str, tuple[Any, Callable[[Client], Source]]] = {
    "phoenix": (phoenix, lambda client: Phoenix(client, Window())),
    "mlflow": (mlflow, lambda client: MLflow(client, Window())),
}
"""Each tool: how it is run, and what reads it."""


def record(name: str) -> None:
    """Run a tool, read it, and write what it answered as a fixture."""
    place, source = SOURCES[name]
    with place() as url:
        client = Recording(url, {}, whose=name, key_hint="")
        client.answers = {}
        for _ in source(client).pages(None):
            pass
    FIXTURES.mkdir(exist_ok=True)
    text = json.dumps(client.answers, indent=1).replace(str(VENVS), "/venvs").replace(str(ROOT), "/app")
    text = re.sub(r'("mlflow\.source\.git\.\w+": )"[^"]*"', r'\1""', text)  # of whoever records it
    (FIXTURES / f"{name}.json").write_text(text + "\n")


def record_langfuse() -> None:
    """Build what Langfuse would answer, with the models of its SDKs 3 and 5, and write it as a fixture."""
    spans = [
        {
            "trace_id": one.trace_id, "span_id": one.span_id, "parent": one.parent_span_id, "name": one.name,
            "start": one.start_time, "end": one.end_time, "attributes": one.attributes, "resource": one.resource,
        }
        for one in sorted(raws("langfuse5"), key=lambda one: one.start_time)
    ]  # fmt: skip
    for sdk in ("langfuse3", "langfuse5"):
        done = subprocess.run(
            [str(VENVS / sdk / "bin" / "python"), "-m", "tests.importers.langfuse_answers"], cwd=ROOT, check=True,
            input=json.dumps(spans), capture_output=True, text=True,
        )  # fmt: skip
        (FIXTURES / f"{sdk}.json").write_text(done.stdout + "\n")


if __name__ == "__main__":
    for name in sorted(one.name for one in ENVIRONMENTS.iterdir()):
        ensure(ENVIRONMENTS / name / "requirements.txt", VENVS / f"import-{name}", "python", f"import from {name}")
    for name in (sys.argv[2:] or [*SOURCES, "langfuse"]) if sys.argv[1:2] == ["record"] else ():
        record_langfuse() if name == "langfuse" else record(name)
