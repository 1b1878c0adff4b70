"""What is handed out once and kept only as a hash: secret keys, link and session tokens."""

from __future__ import annotations

import hashlib
import secrets
import zlib

__all__ = ["hashed", "looks_like_ours", "new_public_id", "new_secret", "new_token"]

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM, _CHECK = 43, 6
_PREFIX = "sk-wk-"


def new_public_id() -> str:
    """Return the public half of a key pair: `pk-wk-` and 95 random bits in base 62."""
    return "pk-wk-" + _random(16)


def new_secret() -> str:
    """Return the secret half: `sk-wk-`, 256 random bits in base 62, and their CRC-32.

    The prefix and the checksum let a secret scanner tell a leaked key from a look-alike without asking us.
    """
    body = _random(_RANDOM)
    return f"{_PREFIX}{body}{_checksum(body)}"


def new_token() -> str:
    """Return a token for a link or a session: 256 random bits in base 62."""
    return _random(_RANDOM)


def looks_like_ours(secret: str) -> bool:
    """Say whether the text has the shape and the checksum of a secret key that we made."""
    body = secret.removeprefix(_PREFIX)
    return (
        body != secret
        and len(body) == _RANDOM + _CHECK
        and set(body) <= set(_ALPHABET)
        and body[_RANDOM:] == _checksum(body[:_RANDOM])
    )


def hashed(secret: str) -> str:
    """Return the SHA-256 in hex. Ours have 256 random bits: a slow hash would protect nothing and cost every request."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _checksum(body: str) -> str:
    number, digits = zlib.crc32(body.encode("ascii")), ""
    for _ in range(_CHECK):
        number, rest = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[rest] + digits
    return digits
