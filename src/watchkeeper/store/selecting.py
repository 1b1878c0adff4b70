"""What a selector means where no mapper has looked: log records whose span has not come."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator

from watchkeeper.model import RawLog

__all__ = ["digest", "names_user", "users_of"]

_USER_KEYS = frozenset({"user.id", "enduser.id", "user_id", "langfuse.user.id", "gen_ai.user.id", "session.user.id"})


def names_user(log: RawLog, users: Collection[str]) -> bool:
    """Say whether an attribute of the record that holds a user names one of these."""
    return any(key.lower() in _USER_KEYS and value in users for key, value in log.attributes.items())


def users_of(log: RawLog) -> Iterator[str]:
    """Yield the users a log record's attributes name."""
    for key, value in log.attributes.items():
        if key.lower() in _USER_KEYS and isinstance(value, str):
            yield value


def digest(project: str, kind: str, name: str) -> str:
    """Return what stands for a user, session or trace in the record of erasures: SHA-256, in hex."""
    return hashlib.sha256(f"{project}\x00{kind}\x00{name}".encode("utf-8", "surrogatepass")).hexdigest()
