"""WKD5xx: are Python and the packages of versions that this release was made for?"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, metadata, requires
from importlib.metadata import version as installed

from watchkeeper.doctor.findings import Finding, Rule
from watchkeeper.doctor.scene import Scene

__all__ = ["CLIENTS", "RULES", "check"]

PYTHON_OK = Rule("WKD500", "ok", "Python", "A version of Python that this release was tested on.")
PYTHON_NEW = Rule(
    "WKD501", "warn", "Python", "Newer than the versions of Python that this release was tested on.",
    "python3.13 -m venv .venv && .venv/bin/pip install 'watchkeeper[server]'", "config",
)  # fmt: skip
PACKAGES_OK = Rule("WKD510", "ok", "packages", "Every package that is needed is here, in its supported range.")
MISSING = Rule(
    "WKD511", "fail", "packages", "A package that the server needs is not installed.",
    "pip install 'watchkeeper[server]'", "config",
)  # fmt: skip
OUT_OF_RANGE = Rule(
    "WKD512", "fail", "packages", "A package is outside the range that this release is made for.",
    "pip install 'watchkeeper[server]'", "config",
)  # fmt: skip
CLIENT_OK = Rule(
    "WKD520", "ok", "model clients", "The model clients that are installed are in the range `wrap` is tested on."
)
CLIENT_OTHER = Rule(
    "WKD521", "warn", "model clients", "A model client is outside the range that `wrap` is tested on; calls may go untraced.",
    "pip install 'PACKAGE>=…,<…'", "config",
)  # fmt: skip
SAME = Rule("WKD530", "ok", "server's version", "Server and SDK are of the same release.")
SERVER_OLDER = Rule(
    "WKD531", "warn", "server's version", "The server is older than the SDK here: upgrade the server first.",
    "pip install --upgrade 'watchkeeper[server]', where the server runs, and restart it",
)  # fmt: skip
SERVER_NEWER = Rule(
    "WKD532", "warn", "server's version", "The server is newer than the SDK here.", "pip install --upgrade watchkeeper",
    "config",
)  # fmt: skip
RULES = (
    PYTHON_OK, PYTHON_NEW, PACKAGES_OK, MISSING, OUT_OF_RANGE, CLIENT_OK, CLIENT_OTHER, SAME, SERVER_OLDER,
    SERVER_NEWER,
)  # fmt: skip

CLIENTS: Mapping[str, str] = {"anthropic": ">=2.14,<3", "mistralai": ">=3.7,<4", "openai": ">=2.8,<4"}
"""The ranges `wrap` is tested on; pyproject.toml's own, by test."""

_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?\s*([^;]*)(?:;\s*(.*))?")


def check(scene: Scene) -> Iterator[Finding]:
    """Compare what is installed with what this release declares."""
    yield _python(sys.version_info[:2])
    wrong = list(_packages())
    yield from wrong or [PACKAGES_OK.found(sys.prefix)]
    yield from _clients()
    if scene.status is not None:
        yield _server(scene.client.base, str(scene.status["version"]), installed("watchkeeper"))


def _python(found: tuple[int, ...]) -> Finding:
    text = ".".join(str(part) for part in found)
    tested = metadata("watchkeeper").get_all("Classifier") or []
    known = f"Programming Language :: Python :: {text}" in tested
    return PYTHON_OK.found(sys.executable, text) if known else PYTHON_NEW.found(sys.executable, f"Python {text}")


def _packages() -> Iterator[Finding]:
    for name, spec in _needed(requires("watchkeeper") or ()):
        found = _installed(name)
        if found is None:
            yield MISSING.found(name)
        elif not within(found, spec):
            yield OUT_OF_RANGE.found(name, f"{found} is installed, {spec} is needed", f"pip install '{name}{spec}'")


def _needed(lines: list[str] | tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Read requirement lines; those of the extra `server` and of none, for this platform."""
    for line in lines:
        told = _REQUIREMENT.match(line)
        if told is None:
            continue
        name, spec, marker = told[1], told[2].strip(" ()"), told[3] or ""
        extra = re.search(r"extra\s*==\s*['\"]([^'\"]+)", marker)
        if extra is not None and extra[1] != "server":
            continue
        if "sys_platform != 'win32'" in marker.replace('"', "'") and sys.platform == "win32":
            continue
        yield name, spec


def _clients() -> Iterator[Finding]:
    for name, spec in CLIENTS.items():
        found = _installed(name)
        if found is None:
            continue
        if within(found, spec):
            yield CLIENT_OK.found(name, f"{found}, in {spec}")
        else:
            yield CLIENT_OTHER.found(name, f"{found} is installed, {spec} is tested", f"pip install '{name}{spec}'")


def _server(where: str, theirs: str, ours: str) -> Finding:
    if _release(theirs)[:2] == _release(ours)[:2]:
        return SAME.found(where, f"server {theirs}, SDK {ours}")
    rule = SERVER_OLDER if _release(theirs) < _release(ours) else SERVER_NEWER
    return rule.found(where, f"server {theirs}, SDK {ours}")


def within(found: str, spec: str) -> bool:
    """Say whether a version is in a range of `>=`, `<` and `==` (the only ones we write); pre-releases count as theirs."""
    for one in spec.split(","):
        told = re.fullmatch(r"\s*(>=|==|<)\s*([\w.]+)\s*", one)
        if told is None:
            continue
        have, bound = _release(found), _release(told[2])
        if not {">=": have >= bound, "<": have < bound, "==": have == bound}[told[1]]:
            return False
    return True


def _release(text: str) -> tuple[int, ...]:
    numbers = re.match(r"\d+(?:\.\d+)*", text)
    parts = [int(part) for part in numbers[0].split(".")] if numbers else []
    return tuple([*parts, 0, 0, 0, 0][:4])


def _installed(name: str) -> str | None:
    try:
        return installed(name)
    except PackageNotFoundError:
        return None
