"""What the key endpoints take and answer."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from watchkeeper.server.schemas import Model, Time, plain
from watchkeeper.store.control.keys import Key, KeyPair

__all__ = ["KeyIn", "KeyList", "KeyMade", "KeyOut", "RotateIn"]

Scope = Literal["ingest", "read", "admin"]


class KeyIn(Model):
    """A key pair to make."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"name": "support-bot", "scopes": ["ingest"]}]}
    )

    name: Annotated[str, Field(max_length=100)] = ""
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=3)]
    expires_in_days: Annotated[int, Field(ge=1, le=3650)] | None = None


class RotateIn(Model):
    """How long the old pair still works."""

    overlap_hours: Annotated[float, Field(ge=0, le=24 * 30, allow_inf_nan=False)] = 24


class KeyOut(Model):
    """A key pair without its secret. `last_used_at` lags by up to ten minutes."""

    public_id: str
    project: str
    name: str
    scopes: list[str]
    created_at: Time
    created_by: str | None
    last_used_at: Time | None
    expires_at: Time | None
    revoked_at: Time | None
    replaced_by: str | None

    @classmethod
    def of(cls, key: Key) -> KeyOut:
        """Build it from the store's record."""
        return cls.model_validate(plain(key))


class KeyMade(Model):
    """A new key pair. The secret is shown this once."""

    key: KeyOut
    secret: str

    @classmethod
    def of(cls, pair: KeyPair) -> KeyMade:
        """Build it from the store's record."""
        return cls(key=KeyOut.of(pair.key), secret=pair.secret)


class KeyList(Model):
    """Newest first, revoked and expired ones too."""

    items: list[KeyOut]
