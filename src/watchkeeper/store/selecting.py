"""What a selector means where no mapper has looked: log records whose span has not come."""

from __future__ import annotations

from collections.abc import Collection

from watchkeeper.model import RawLog

__all__ = ["names_user"]

_USER_KEYS = frozenset({"user.id", "enduser.id", "user_id", "langfuse.user.id", "gen_ai.user.id", "session.user.id"})


def names_user(log: RawLog, users: Collection[str]) -> bool:
    """Say whether an attribute of the record that holds a user names one of these."""
    return any(key.lower() in _USER_KEYS and value in users for key, value in log.attributes.items())
