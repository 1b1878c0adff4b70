"""The port every recogniser stands behind, and the engine its patterns run on."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias

import re2

__all__ = ["Family", "Match", "Recognizer", "is_secret", "pattern", "readable", "without_unseen"]

Family: TypeAlias = Literal["secret", "address", "number"]
"""Which first look finds it: secrets are masked in every mode, addresses and numbers only where personal data is."""

_WIDE = {0x3000: " "} | {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
_LIKE = dict.fromkeys(range(0xD800, 0xE000), "\ufffd") | _WIDE
_ODD = re.compile("[\ud800-\udfff\uff01-\uff5e\u3000]")
_ODD_BYTES = (b"\xef\xbc", b"\xef\xbd", "\u3000".encode())
_UNSEEN_LETTERS = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
_UNSEEN = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff]")
_BREAKS = (("\\n", "  "), ("\\r", "  "), ("\\t", "  "))
_SIGNS = (("%20", "   "), ("%0A", "   "), ("%0a", "   "))
_COLOUR = re.compile(r"\x1b\[[0-9;]{0,20}m")


class Match(NamedTuple):
    """Where something was recognised: `text[start:end]`."""

    start: int
    end: int


class Recognizer(Protocol):
    """Finds one kind of thing in a text.

    `find` MUST be a pure function of the text, MUST take time linear in its length, and MUST find nothing in a text
    in which `hint`, an RE2 pattern, finds nothing: the hints of all recognisers are one automaton that sees every
    text first. It MAY give overlapping matches; the earlier recogniser in the catalogue wins.
    """

    code: str
    """Stable, `WKG` and three digits."""
    name: str
    kind: str
    """What is counted, and what stands in the replacement: `[MASKED:kind]`."""
    family: str
    """One of `Family`."""
    hint: str

    def find(self, text: str) -> Iterable[Match]:
        """Go through what is recognised. The text holds no lone surrogates."""
        ...


def is_secret(recognizer: Recognizer) -> bool:
    """Say whether it finds secrets, which are masked in every mode."""
    return recognizer.family == "secret"


def pattern(text: str) -> Any:  # noqa: ANN401 - the engine ships no types
    """Compile a pattern on an automaton: linear in the text whatever the text is, unlike the standard library's."""
    return re2.compile(text)


def readable(text: str) -> str:
    """Return the text as a reader takes it, of the same length.

    An escaped line break or a percent-encoded space parts words, colours of a terminal are none, wide letters are
    plain ones; lone surrogates, which the engine cannot read, are replaced.
    """
    if "\\" in text:
        for written, meant in _BREAKS:
            text = text.replace(written, meant)
    if "%" in text:
        for written, meant in _SIGNS:
            text = text.replace(written, meant)
    if "\x1b" in text:
        text = _COLOUR.sub(lambda found: " " * len(found.group()), text)
    if text.isascii() or not _may_be_odd(text) or _ODD.search(text) is None:
        return text
    return text.translate(_LIKE)


def _may_be_odd(text: str) -> bool:
    """Say, much faster than the pattern, that it would find nothing: by the bytes that all it looks for begin with."""
    try:
        data = text.encode()
    except UnicodeEncodeError:  # a lone surrogate
        return True
    return any(start in data for start in _ODD_BYTES)


def without_unseen(text: str) -> tuple[str, list[int] | None]:
    """Return the text without characters that nobody sees, and where each that is left stood; None where all are."""
    if text.isascii() or not any(letter in text for letter in _UNSEEN_LETTERS):
        return text, None
    places = [place for place, letter in enumerate(text) if _UNSEEN.match(letter) is None]
    return "".join(text[place] for place in places), places
