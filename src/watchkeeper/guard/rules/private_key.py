"""WKG105: private keys in PEM."""

from __future__ import annotations

from collections.abc import Iterator

from watchkeeper.guard.recognizer import Match, pattern

__all__ = ["PrivateKey"]

_LONGEST, _LINE = 16_384, 80

_BEGIN = pattern(r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----")
_END = pattern(r"-----END [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----")
_BODY = pattern(r"[A-Za-z0-9+/=\s\\]*(?:(?:Proc-Type|DEK-Info|Comment|Version): [^\\\n]*[A-Za-z0-9+/=\s\\]*)*")


class PrivateKey:
    """A PEM block (`-----BEGIN … PRIVATE KEY-----`), also one that was cut off before its end.

    Why is this bad: it is an identity. A key that was seen has to be replaced everywhere it is trusted.
    """

    code = "WKG105"
    name = "private_key"
    kind = "private_key"
    family = "secret"
    hint = r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY"

    def find(self, text: str) -> Iterator[Match]:
        """Go through blocks; one with no end reaches as far as base64 does."""
        place = 0
        for begin in _BEGIN.finditer(text):
            if begin.start() < place:
                continue
            rest = text[begin.end() : begin.end() + _LONGEST]
            size = body.end() if (body := _BODY.match(rest)) is not None else 0
            end = _END.match(rest[size : size + _LINE])
            place = begin.end() + size + (0 if end is None else end.end())
            yield Match(begin.start(), place)
