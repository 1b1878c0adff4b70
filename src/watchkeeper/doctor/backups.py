"""WKD73x: how old is the last backup, and is something left of a restore?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from watchkeeper.doctor.findings import Finding, Rule
from watchkeeper.doctor.scene import Scene
from watchkeeper.server.backup import BACKUP_FILE, RESTORED_OVER, last_backup
from watchkeeper.store.factory import SPANS_FILE

__all__ = ["RULES", "check"]

MOST_DAYS = 7
_DAY = 86_400

RECENT = Rule(
    "WKD730", "ok", "backup", f"The last backup is at most {MOST_DAYS} days old, or the data folder is no older."
)
OLD = Rule(
    "WKD731", "warn", "backup", f"The last backup is more than {MOST_DAYS} days old.",
    "watchkeeper backup /backup/watchkeeper-$(date +%F).zip",
)  # fmt: skip
NONE = Rule(
    "WKD732", "warn", "backup",
    f"The data folder is more than {MOST_DAYS} days old, and `watchkeeper backup` was never run; other copies are not known.",
    "watchkeeper backup /backup/watchkeeper-$(date +%F).zip",
)  # fmt: skip
ASIDE = Rule(
    "WKD733", "warn", "restored folder",
    "What a restore moved aside is still there: neither retention nor an erasure reaches it.", "rm -r FOLDER", "config",
)  # fmt: skip
RULES = (RECENT, OLD, NONE, ASIDE)


def check(scene: Scene) -> Iterator[Finding]:
    """Compare the time that the last backup left in the data folder with now; look for what a restore moved aside."""
    folder = scene.folder
    if not (folder / SPANS_FILE).exists():
        return
    yield from _aside(folder)
    taken = last_backup(folder)
    if taken is not None:
        days = int((scene.now() - taken / 1e9) // _DAY)
        rule = RECENT if days <= MOST_DAYS else OLD
        yield rule.found(folder / BACKUP_FILE, f"the last one is {max(0, days)} days old")
        return
    days = int((scene.now() - _began(folder)) // _DAY)
    rule = RECENT if days <= MOST_DAYS else NONE
    yield rule.found(folder, f"none yet; the folder is {max(0, days)} days old")


def _aside(folder: Path) -> Iterator[Finding]:
    for path in sorted(folder.glob(f"{RESTORED_OVER}*")):
        if path.is_dir():
            yield ASIDE.found(path, "delete it once it is needed no more", f"rm -r {path}")


def _began(folder: Path) -> float:
    """Return the age of the oldest file in the folder: the pseudonyms' salt is written once."""
    return min(one.stat().st_mtime for one in folder.iterdir() if one.is_file())
