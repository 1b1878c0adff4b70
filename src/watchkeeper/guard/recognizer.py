"""The port every recogniser stands behind, and the engine its patterns run on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias

import re2

__all__ = ["Family", "Match", "Recognizer", "is_secret", "pattern", "readable"]

Family: TypeAlias = Literal["secret", "address", "number"]
"""Which first look finds it: secrets are masked in every mode, addresses and numbers only where personal data is."""

_SURROGATES = dict.fromkeys(range(0xD800, 0xE000), "\ufffd")


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
    """Return the text, of the same length, with lone surrogates replaced: the engine reads Unicode only."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.translate(_SURROGATES)
    return text
