"""WKG106: JSON Web Tokens."""

from __future__ import annotations

from collections.abc import Iterator

from watchkeeper.guard.recognizer import Match, pattern

__all__ = ["JsonWebToken"]

_TOKEN = pattern(r"\beyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}(?:\.[A-Za-z0-9_\-]*){1,3}")


class JsonWebToken:
    """`eyJ….….…`: a signed token (JWS) or an encrypted one (JWE).

    Why is this bad: until it expires it is its bearer's session, and its middle part names the person in clear text.
    """

    code = "WKG106"
    name = "json_web_token"
    kind = "token"
    family = "secret"
    hint = r"\beyJ[a-z0-9_\-]{8,}\."

    def find(self, text: str) -> Iterator[Match]:
        """Go through tokens."""
        return (Match(found.start(), found.start() + len(found.group().rstrip("."))) for found in _TOKEN.finditer(text))
