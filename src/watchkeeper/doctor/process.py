"""WKD9xx: limits of the process, and settings that say something else than was meant."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import fields
from difflib import get_close_matches

from watchkeeper.doctor.findings import Finding, Rule
from watchkeeper.doctor.scene import Scene
from watchkeeper.kit.errors import ConfigError
from watchkeeper.kit.settings import ForeignSettings, SdkSettings, ServerSettings
from watchkeeper.manifest import default_policy, load

__all__ = ["MISREAD", "RULES", "check"]

ENOUGH_FILES = 1024

FILES_OK = Rule("WKD900", "ok", "open files", f"A process may open at least {ENOUGH_FILES} files.")
FILES_FEW = Rule(
    "WKD901", "warn", "open files", f"A process may open fewer than {ENOUGH_FILES} files: connections are refused early.",
    "ulimit -n 4096 (systemd: LimitNOFILE=4096)",
)  # fmt: skip
SETTINGS_OK = Rule("WKD910", "ok", "settings", "Every WATCHKEEPER_ variable is one that is read.")
MISREAD = Rule(
    "WKD911", "fail", "settings", "A variable does not parse; the server would not start.", "unset it, or correct it",
    "config",
)  # fmt: skip
UNKNOWN = Rule(
    "WKD912", "warn", "settings", "A WATCHKEEPER_ variable that nothing reads: probably a misspelling.", "unset it",
    "config",
)  # fmt: skip
MANIFEST_OK = Rule("WKD920", "ok", "manifest", "The manifest is understood, or there is none.")
MANIFEST_WRONG = Rule(
    "WKD921", "fail", "manifest", "The manifest cannot be read or says something that is not known.",
    "correct the line named", "config",
)  # fmt: skip
RULES = (FILES_OK, FILES_FEW, SETTINGS_OK, MISREAD, UNKNOWN, MANIFEST_OK, MANIFEST_WRONG)

_OURS = "WATCHKEEPER_"
_BESIDE = frozenset({"WATCHKEEPER_CLIENT_VENVS"})
"""Variables that the project's own tests and scripts read."""


def check(scene: Scene) -> Iterator[Finding]:
    """Look at the limit of open files, the names of our variables and the manifest."""
    if not sys.platform.startswith("win"):
        yield _files()
    unknown = list(_unknown(scene))
    yield from unknown or [SETTINGS_OK.found("environment")]
    yield _manifest(scene)


def _files() -> Finding:
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= ENOUGH_FILES:
        return FILES_OK.found("RLIMIT_NOFILE", str(soft))
    most = 4 * ENOUGH_FILES if hard == resource.RLIM_INFINITY else min(hard, 4 * ENOUGH_FILES)
    return FILES_FEW.found("RLIMIT_NOFILE", f"{soft} files, at most {hard}", f"ulimit -n {most}")


def _unknown(scene: Scene) -> Iterator[Finding]:
    known = {
        item.metadata["env"] for kind in (ServerSettings, SdkSettings, ForeignSettings) for item in fields(kind)
    } | _BESIDE
    for name in sorted(scene.environ):
        if name.startswith(_OURS) and name not in known:
            near = get_close_matches(name, known, 1, 0.75)
            meant = f"; {near[0]} was probably meant" if near else ""
            mend = f'export {near[0]}="${name}"; unset {name}' if near else f"unset {name}"
            yield UNKNOWN.found(name, f"nothing reads it{meant}", mend)


def _manifest(scene: Scene) -> Finding:
    path = scene.server.manifest_path()
    if path is None:
        return MANIFEST_OK.found("watchkeeper.toml", "there is none")
    try:
        load(path, default_policy(scene.server.capture, scene.server.retention))
    except ConfigError as error:
        return MANIFEST_WRONG.found(path, error.message)
    return MANIFEST_OK.found(path, "understood")
