"""Run a real client's app in its own environment, configured only as its own documentation says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from hatch_build import find_node

from tests import fake_anthropic, fake_gemini, fake_mistral, fake_openai
from tests.clients.client import FOLDER, Setup

ROOT = Path(__file__).parents[2]
VENVS = Path(os.environ.get("WATCHKEEPER_CLIENT_VENVS", ROOT / ".venv-clients"))
KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "SYSTEMROOT")
"""What a client is given of our own environment: no setting of anyone's SDK."""
NOWHERE = "http://127.0.0.1:9"
"""A proxy that is not there: what a client sends beyond loopback goes nowhere, and quickly."""
NODE = (22, 15)
"""The oldest Node that the JavaScript clients' packages say they run on."""
SECONDS = 180
UNSENT = re.compile(
    r"failed to (export|upload|flush|send)|exception while exporting|OTLPExporterError|unauthori[sz]ed|"
    r"error (exporting|sending|uploading)|export(ing)? .{0,40}failed",
    re.IGNORECASE,
)
"""What SDKs write where something did not arrive; they go on and exit with 0."""


@dataclass(frozen=True)
class Providers:
    """The addresses of the fake providers."""

    openai: str
    anthropic: str
    mistral: str
    gemini: str


@dataclass(frozen=True)
class Place:
    """Where a client sends to, and as whom. `grpc` is the port of OTLP/gRPC, if there is one."""

    url: str
    public_key: str = "pk-weather-bot"
    secret_key: str = "sk-weather-bot-0123456789abcdef0123"
    grpc: int = 0


@contextmanager
def providing() -> Iterator[Providers]:
    """Run the fake providers."""
    servers = [fake.start() for fake in (fake_openai, fake_anthropic, fake_mistral, fake_gemini)]
    openai, anthropic, mistral, gemini = (f"http://127.0.0.1:{one.server_address[1]}" for one in servers)
    yield Providers(f"{openai}/v1", anthropic, mistral, gemini)
    for one in servers:
        one.shutdown()
        one.server_close()


def home(folder: str) -> Path:
    """Return where a client's packages are installed.

    Raises:
        AssertionError: they are not; the message is the line that installs them.
    """
    found = VENVS / folder
    if not (found / ".done").exists():
        raise AssertionError(f"{found} is missing; install it with: python -m tests.clients.install {folder}")
    return found


def run(setup: Setup, place: Place, providers: Providers) -> None:
    """Have a client's app make the conversation.

    Raises:
        AssertionError: it failed, or said that something could not be sent.
    """
    packages = home(setup.folder)
    fill = _filler(setup, place, providers, packages)
    with tempfile.TemporaryDirectory(prefix="client-home-") as nobody:
        done = subprocess.run(
            [fill(word) for word in setup.client.command],
            cwd=ROOT,
            env=surroundings(providers, nobody)
            | {
                "PYTHONPATH": str(ROOT),
                **{name: fill(value) for name, value in setup.environment.items()},
            },
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert UNSENT.search(done.stderr + done.stdout) is None, done.stdout + done.stderr


def surroundings(providers: Providers, nobody: str) -> dict[str, str]:
    """Return the environment of a machine on which nothing is set but where the models are; `nobody` is its HOME."""
    return {
        **{name: os.environ[name] for name in KEPT if name in os.environ},
        "HOME": nobody,
        **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), NOWHERE),
        **dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost"),
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # else it tries for some seconds to fetch one
        "OPENAI_BASE_URL": providers.openai,
        "OPENAI_API_KEY": "none",
        "ANTHROPIC_BASE_URL": providers.anthropic,
        "ANTHROPIC_API_KEY": "none",
        "MISTRAL_BASE_URL": providers.mistral,
        "MISTRAL_API_KEY": "none",
        "GOOGLE_GEMINI_BASE_URL": providers.gemini,
        "GEMINI_API_KEY": "none",
    }


class _Filler:
    """Fills placeholders in."""

    def __init__(self, words: dict[str, str], what: str) -> None:
        self._words, self._what = words, what

    def __call__(self, text: str) -> str:
        return re.sub(r"\{([a-z_]+)\}", self._word, text)

    def _word(self, found: re.Match[str]) -> str:
        try:
            return self._words[found[1]]
        except KeyError:
            raise AssertionError(f"{self._what}: there is no placeholder {found[0]}: {sorted(self._words)}") from None


def _filler(setup: Setup, place: Place, providers: Providers, packages: Path) -> _Filler:
    words = {
        "collector": place.url,
        "port": place.url.rpartition(":")[2],
        "grpc": str(place.grpc),
        "public_key": place.public_key,
        "secret_key": place.secret_key,
        "bearer": quote(f"Bearer {place.secret_key}"),
        "basic": b64encode(f"{place.public_key}:{place.secret_key}".encode()).decode(),
        "model": providers.openai,
        "anthropic": providers.anthropic,
        "mistral": providers.mistral,
        "gemini": providers.gemini,
    }
    if setup.client.language == "javascript":
        words |= {"node": str(find_node(NODE)[0]), "folder": str(sources(setup.folder, packages))}
    else:
        words["bin"] = str(packages / ("Scripts" if sys.platform == "win32" else "bin"))
    return _Filler(words, f"{setup.folder}/client.toml")


def sources(folder: str, packages: Path) -> Path:
    """Put an app's modules beside its packages, where Node looks for them; return their folder."""
    for source in (*FOLDER.glob("*.mjs"), *FOLDER.glob(f"{folder}/*.mjs")):
        target = packages / source.relative_to(FOLDER)
        if not target.exists() or target.read_bytes() != source.read_bytes():
            target.parent.mkdir(exist_ok=True)
            written = target.with_suffix(f".{os.getpid()}")
            written.write_bytes(source.read_bytes())
            written.replace(target)
    return packages / folder
