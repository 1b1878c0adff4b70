"""WKD32x and WKD33x: who may sign in to the folder's server, and which keys of its own end soon."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from watchkeeper.doctor.findings import Finding, Rule
from watchkeeper.doctor.probe import is_loopback
from watchkeeper.doctor.scene import Scene
from watchkeeper.kit.errors import StoreError
from watchkeeper.store.factory import CONTROL_FILE, people_and_keys

__all__ = ["RULES", "check"]

SOON_DAYS = 14

PEOPLE_OK = Rule(
    "WKD320",
    "ok",
    "people",
    "Somebody who may sign in is an admin; or nobody has an account, and loopback alone is served.",
)
NO_ADMIN = Rule(
    "WKD321", "warn", "people", "People may sign in, and none is an admin of any project: nobody can invite or make keys.",
    "watchkeeper users role EMAIL admin", "config",
)  # fmt: skip
NOBODY = Rule(
    "WKD322", "warn", "people", "It would listen beyond loopback, and nobody has an account: only keys open the dashboard.",
    "watchkeeper users invite EMAIL --role admin", "config",
)  # fmt: skip
KEYS_OK = Rule("WKD330", "ok", "keys of the folder", f"No key that is in use ends within {SOON_DAYS} days.")
KEY_ENDS = Rule(
    "WKD331", "warn", "keys of the folder", f"A key ends within {SOON_DAYS} days, and has no successor.",
    "watchkeeper keys rotate PUBLIC_ID --project PROJECT", "config",
)  # fmt: skip
RULES = (PEOPLE_OK, NO_ADMIN, NOBODY, KEYS_OK, KEY_ENDS)


def check(scene: Scene) -> Iterator[Finding]:
    """Look into the control store, read-only, whether a server has it open or not."""
    path = scene.folder / CONTROL_FILE
    if not path.is_file():
        return
    now = datetime.fromtimestamp(scene.now(), UTC)
    try:
        told = people_and_keys(path, now + timedelta(days=SOON_DAYS))
    except StoreError:
        return  # that it cannot be opened is a finding of the store's
    host = scene.server.host
    beyond = not is_loopback(f"http://[{host}]" if ":" in host else f"http://{host}")
    if told.people and not told.admins:
        yield NO_ADMIN.found(path, f"{told.people} may sign in", f"watchkeeper users role {told.first} admin")
    elif beyond and not told.people:
        yield NOBODY.found(f"WATCHKEEPER_HOST={host}")
    else:
        yield PEOPLE_OK.found(path, f"{told.people} may sign in, {told.admins} of them admins")
    for public_id, project, ends in told.ending:
        mend = f"watchkeeper keys rotate {public_id} --project {project}"
        yield KEY_ENDS.found(public_id, f"of project {project}, it ends on {ends:%Y-%m-%d}", mend)
    if not told.ending:
        yield KEYS_OK.found(path)
