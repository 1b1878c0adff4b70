"""WKD7xx: can what is stored be opened, and who holds it?"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from watchkeeper.doctor.findings import Finding, Rule
from watchkeeper.doctor.probe import ask
from watchkeeper.doctor.processes import Holder, file_holder, program_of
from watchkeeper.doctor.scene import Scene
from watchkeeper.kit.errors import StoreError, StoreFormatError, StoreLockedError
from watchkeeper.store.factory import CONTROL_FILE, SPANS_FILE, check_control_format, stored_format

__all__ = ["RULES", "check"]

_LOCK = "server.lock"

OPENS = Rule("WKD700", "ok", "store", "The store is of a format this release reads.")
EMPTY = Rule("WKD701", "ok", "store", "Nothing is stored yet.")
NEWER = Rule(
    "WKD702", "fail", "store", "A newer release wrote it, or it is no store of ours.",
    "pip install --upgrade 'watchkeeper[server]', or watchkeeper serve --data-dir FOLDER", "config",
)  # fmt: skip
HELD = Rule(
    "WKD703", "fail", "store", "Another process, that is no server of ours, has the store's file open.",
    "end that process",
)  # fmt: skip
DAMAGED = Rule(
    "WKD704", "fail", "store", "The store cannot be opened.",
    "restore a backup, or start anew: watchkeeper serve --data-dir FOLDER",
)  # fmt: skip
FREE = Rule("WKD710", "ok", "folder's lock", "Nobody holds the folder, or its server answers.")
STALE = Rule(
    "WKD711", "warn", "folder's lock",
    "The last server was killed: its lockfile is stale. It is in nobody's way; the next server takes it over.",
    "watchkeeper serve",
)  # fmt: skip
HUNG = Rule(
    "WKD712",
    "fail",
    "folder's lock",
    "A process holds the folder and does not answer.",
    "kill PID, then watchkeeper serve",
)
RULES = (OPENS, EMPTY, NEWER, HELD, DAMAGED, FREE, STALE, HUNG)


def check(scene: Scene) -> Iterator[Finding]:
    """Look at the lockfile, then, where no server has them open, at the files themselves."""
    folder = scene.folder
    lock = _lock(scene)
    yield lock
    if scene.running is not None or lock.id == HUNG.id:
        if scene.own_status is not None:
            yield OPENS.found(folder, f"format {scene.own_status['format_version']}, open in the server")
        return
    files = ((folder / SPANS_FILE, _spans), (folder / CONTROL_FILE, _control))
    there = [(path, look) for path, look in files if _exists(path)]
    for path, look in there:
        yield _opened(path, look)
    if not there:
        yield EMPTY.found(folder)


def _lock(scene: Scene) -> Finding:
    path = scene.folder / _LOCK
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return FREE.found(scene.folder, "no server has run here, or its lock cannot be read")
    holder = file_holder(path)
    if scene.running is not None or holder is not None:
        told = holder or _announced(text)
        if scene.running is not None and _answers(scene):
            return FREE.found(scene.running, f"its server answers: {told or 'pid unknown'}")
        mend = f"kill {told.pid}, then watchkeeper serve" if told else None
        return HUNG.found(scene.running or path, f"held by {told or 'an unknown process'}", mend)
    if text.strip():
        killed = _announced(text)
        return STALE.found(
            path, f"left by pid {killed.pid}, which is gone" if killed else "left by a server that is gone"
        )
    return FREE.found(path, "nobody holds the folder")


def _answers(scene: Scene) -> bool:
    if scene.running is None:
        return False
    return not scene.may_ask(scene.running) or ask(f"{scene.running}/healthz").trouble is None


def _announced(text: str) -> Holder | None:
    """Return the process that the lockfile names."""
    try:
        pid = int(json.loads(text)["pid"])
    except (ValueError, KeyError, TypeError):
        return None
    return Holder(pid, program_of(pid))


def _opened(path: Path, look: Callable[[Path], str]) -> Finding:
    try:
        return OPENS.found(path, look(path))
    except StoreFormatError as error:
        return NEWER.found(path, error.message)
    except StoreLockedError:
        holder = file_holder(path)
        mend = f"kill {holder.pid}" if holder is not None else None
        return HELD.found(path, f"open in {holder or 'a process of another user'}", mend)
    except StoreError as error:
        return DAMAGED.found(path, error.message)


def _spans(path: Path) -> str:
    found, newest = stored_format(path)
    later = "" if found == newest else f", which the next server brings to {newest}"
    return f"format {found}{later}"


def _control(path: Path) -> str:
    return f"revision {check_control_format(path)}"


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False
