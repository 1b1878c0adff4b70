"""Install the real clients, each into an environment of its own: `python -m tests.clients.install [NAME…]`.

An environment whose lock has not changed since is left as it is.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from hatch_build import find_node

from tests.clients.client import FOLDER, setups
from tests.clients.run import NODE, VENVS

LOCKS = {"python": "requirements.txt", "javascript": "package-lock.json"}


def install(folder: str) -> bool:
    """Install one client; return whether there was anything to do.

    Raises:
        subprocess.CalledProcessError: an installer failed; it has said why.
    """
    language = setups()[folder].client.language
    return ensure(FOLDER / folder / LOCKS[language], VENVS / folder, language, f"the real client: {folder}")


def ensure(lock: Path, target: Path, language: str, what: str) -> bool:
    """Install what a lock names into a folder, unless that is done; return whether there was anything to do.

    Raises:
        subprocess.CalledProcessError: an installer failed; it has said why.
    """
    stamp, wanted = target / ".done", _digest(lock)
    if stamp.is_file() and stamp.read_text() == wanted:
        return False
    stamp.unlink(missing_ok=True)
    sys.stdout.write(f"== installing {what} ==\n")
    sys.stdout.flush()
    (_node_modules if language == "javascript" else _venv)(lock, target)
    stamp.write_text(wanted)
    return True


def _venv(lock: Path, target: Path) -> None:
    uv = [sys.executable, "-m", "uv"]
    environment = {**os.environ, "UV_LINK_MODE": "hardlink"}
    environment.pop("VIRTUAL_ENV", None)
    subprocess.run([*uv, "venv", "-q", "--clear", "--python", sys.executable, str(target)], check=True, env=environment)
    python = target / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    packages = ["install", "-q", "-r", str(lock)]
    quick = [*uv, "pip", *packages, "--python", str(python), "--system-certs"]
    if subprocess.run(quick, check=False, env=environment).returncode:
        # Where packages come from by pip's own settings alone, pip knows it and uv does not.
        subprocess.run([sys.executable, "-m", "pip", "--python", str(python), *packages], check=True, env=environment)


def _node_modules(lock: Path, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for name in (lock.name, "package.json"):
        shutil.copyfile(lock.with_name(name), target / name)
    found, npm = find_node(NODE)
    paths = [str(found.parent), os.environ.get("PATH", "")]
    subprocess.run(
        [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
        cwd=target,
        check=True,
        env=os.environ
        | {"PATH": os.pathsep.join(paths), "npm_config_update_notifier": "false", "NODE_USE_SYSTEM_CA": "1"},
    )


def _digest(lock: Path) -> str:
    version = ".".join(map(str, sys.version_info[:2]))
    return hashlib.sha256(lock.read_bytes() + version.encode()).hexdigest()


if __name__ == "__main__":
    for name in sys.argv[1:] or sorted({one.folder for one in setups().values()}):
        install(name)
