"""WKG107: the value of an Authorization header."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

from watchkeeper.guard.recognizer import Match, pattern

__all__ = ["Authorization"]

_HEADER = pattern(r"(?i)\b(bearer|basic|token)(?:\s|%20|\+)+([A-Za-z0-9._~+/=\-]{8,})")
_LONG = 24


class Authorization:
    """`Bearer …`, `Basic …` and `Token …` with a value that is no word.

    Why is this bad: the header is the caller. Instrumentations of HTTP clients and error messages carry it along.
    """

    code = "WKG107"
    name = "authorization"
    kind = "token"
    family = "secret"
    hint = r"\b(?:bearer|basic|token)(?:\s|%20|\+)+[a-z0-9._~+/=\-]{8}"

    def find(self, text: str) -> Iterator[Match]:
        """Go through values that are no prose ("basic understanding", "bearer authentication")."""
        for found in _HEADER.finditer(text):
            value = found.group(2).rstrip(".")
            if _is_basic(value) if found.group(1).lower() == "basic" else _is_token(value):
                yield Match(found.start(2), found.start(2) + len(value))


def _is_basic(value: str) -> bool:
    try:
        return b":" in base64.b64decode(value + "=" * (-len(value) % 4), validate=True)
    except (binascii.Error, ValueError):
        return False


def _is_token(value: str) -> bool:
    return any(letter.isdigit() for letter in value) or (len(value) >= _LONG and not value.islower())
