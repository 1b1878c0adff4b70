"""Addresses that let whoever holds them do one thing for a while: what is signed is in them, nothing is kept.

The key is made anew at every start, so a restart ends them all.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets

import msgspec

from watchkeeper.kit.clock import Clock
from watchkeeper.kit.errors import ForbiddenError

__all__ = ["Grant", "Links"]

_LONGEST = 2_000


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """What an address allows: `put` or `get` of one medium of one project, of this type, size and SHA-256, until `until` ns."""

    act: str
    project: str
    media: str
    content_type: str
    size: int
    sha256: str
    until: int


class Links:
    """Makes and reads the signed part of an address. Any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._key = secrets.token_bytes(32)

    def sign(self, grant: Grant) -> str:
        """Return the token: what is allowed and its HMAC-SHA256, both URL-safe."""
        told = base64.urlsafe_b64encode(msgspec.json.encode(grant)).rstrip(b"=")
        return f"{told.decode()}.{self._sum(told)}"

    def read(self, token: str, act: str) -> Grant:
        """Return what a token allows.

        Raises:
            ForbiddenError: it is not ours, for another act, or too old.
        """
        told, _, summed = token.partition(".")
        refused = ForbiddenError("this address does not hold, or no longer", hint="ask for a new one")
        if len(token) > _LONGEST or not token.isascii() or not hmac.compare_digest(self._sum(told.encode()), summed):
            raise refused
        try:
            padded = told + "=" * (-len(told) % 4)
            grant = msgspec.json.decode(base64.urlsafe_b64decode(padded), type=Grant)
        except (binascii.Error, ValueError):
            raise refused from None
        if grant.act != act or self._clock.now_ns() >= grant.until:
            raise refused
        return grant

    def _sum(self, told: bytes) -> str:
        summed = hmac.digest(self._key, b"media\0" + told, hashlib.sha256)
        return base64.urlsafe_b64encode(summed).rstrip(b"=").decode()
