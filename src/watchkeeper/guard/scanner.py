"""Text in, masked text out: the hints of all recognisers as one automaton first, the recognisers themselves after a hit."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import msgspec

from watchkeeper.guard.recognizer import Recognizer, is_secret, pattern, readable, without_unseen
from watchkeeper.guard.rules.card import is_card
from watchkeeper.guard.rules.named_secret import is_placeholder, names_secret

__all__ = ["Counts", "Scanner", "Stamp", "label"]

Counts: TypeAlias = dict[str, int]
"""Kind to how many."""

Stamp: TypeAlias = Callable[[str, str], str]
"""(kind, what was found) to what is written in its place."""

_ESCAPED = "\\u00"
_JSON_STARTS = frozenset('{["')
_DEEPEST = 6
_CARD_DIGITS = range(13, 20)


def label(kind: str, _: str = "") -> str:
    """Return what stands in the place of a thing of that kind."""
    return f"[MASKED:{kind}]"


class Scanner:
    """Masks what its recognisers find. Safe to use from any thread; holds no text.

    A text that is JSON is masked inside and written anew, so that it stays JSON; any other is masked as it stands.
    """

    def __init__(self, recognizers: Iterable[Recognizer]) -> None:
        found = tuple(recognizers)
        self._secrets = tuple(one for one in found if is_secret(one))
        self._addresses = tuple(one for one in found if one.family == "address")
        self._numbers = tuple(one for one in found if one.family == "number")
        self._all = _hints(found, _ESCAPED.replace("\\", "\\\\"))
        self._but_numbers = _hints(self._secrets + self._addresses, _ESCAPED.replace("\\", "\\\\"))
        self._by_family = tuple(
            (_hints(group), group) for group in (self._secrets, self._addresses, self._numbers) if group
        )

    def may_hold(self, text: str, *, numbers: bool = True) -> bool:
        """Say, in one pass, whether any recogniser could find anything; `numbers=False` leaves numbers alone."""
        seen = self._all if numbers else self._but_numbers
        return seen.search(readable(without_unseen(text)[0])) is not None

    def mask(self, text: str, counts: Counts, *, numbers: bool = True, stamp: Stamp = label) -> str:
        """Return the text masked and add to `counts`; the very same text where nothing is found."""
        return self._mask(text, counts, numbers, stamp, 0) if self.may_hold(text, numbers=numbers) else text

    def walk(self, value: Any, counts: Counts, *, secret: bool = False, depth: int = 0) -> Any:  # noqa: ANN401 - JSON is any shape
        """Return a value of JSON's shapes masked; `secret` says that its name makes it one as a whole."""
        if isinstance(value, str):
            if secret and not is_placeholder(value):
                counts["password"] = counts.get("password", 0) + 1
                return label("password")
            return self._mask(value, counts, numbers=True, stamp=label, depth=depth + 1)
        if isinstance(value, dict):
            return {
                self.mask(str(key), counts): self.walk(item, counts, secret=names_secret(str(key)), depth=depth)
                for key, item in value.items()
            }
        if isinstance(value, list):
            return [self.walk(item, counts, secret=secret, depth=depth) for item in value]
        if isinstance(value, int) and self._numbers and value > 0 and _is_card_number(value):
            counts["card"] = counts.get("card", 0) + 1
            return label("card")
        return value

    def _mask(self, text: str, counts: Counts, numbers: bool, stamp: Stamp, depth: int) -> str:  # noqa: FBT001 - internal
        if depth < _DEEPEST and text.lstrip()[:1] in _JSON_STARTS:
            try:
                told = msgspec.json.decode(text)
            except (msgspec.DecodeError, RecursionError, UnicodeError):
                return self._plain(text, counts, numbers, stamp)
            mine: Counts = {}
            masked = self.walk(told, mine, depth=depth)
            if not mine:
                return text
            for kind, count in mine.items():
                counts[kind] = counts.get(kind, 0) + count
            return msgspec.json.encode(masked).decode()
        return self._plain(text, counts, numbers, stamp)

    def _plain(self, text: str, counts: Counts, numbers: bool, stamp: Stamp) -> str:  # noqa: FBT001 - internal
        seen, places = without_unseen(text)
        shown = readable(seen)
        found: list[tuple[int, int, int, str]] = []
        order = 0
        for hints, group in self._by_family:
            if (group is self._numbers and not numbers) or hints.search(shown) is None:
                continue
            for one in group:
                order += 1
                found += [(match.start, order, match.end, one.kind) for match in one.find(shown)]
        if places is not None:
            # The end is one past the last letter that was seen: what nobody sees after it stays.
            found = [(places[start], one, places[end - 1] + 1, kind) for start, one, end, kind in found if end > start]
        return _replace(text, found, counts, stamp) if found else text


def _is_card_number(value: int) -> bool:
    digits = str(value)
    return len(digits) in _CARD_DIGITS and is_card(digits)


def _replace(text: str, found: list[tuple[int, int, int, str]], counts: Counts, stamp: Stamp) -> str:
    """Put the stamps in; matches that overlap become one, of the first one's kind."""
    found.sort()
    pieces: list[str] = []
    place = 0
    start, _, end, kind = found[0]
    for next_start, _, next_end, next_kind in [*found[1:], (len(text) + 1, 0, 0, "")]:
        if next_start < end:
            end = max(end, next_end)
            continue
        pieces += [text[place:start], stamp(kind, text[start:end])]
        counts[kind] = counts.get(kind, 0) + 1
        place, start, end, kind = end, next_start, next_end, next_kind
    pieces.append(text[place:])
    return "".join(pieces)


def _hints(recognizers: Iterable[Recognizer], *more: str) -> Any:  # noqa: ANN401 - the engine ships no types
    return pattern("(?i)" + "|".join(f"(?:{hint})" for hint in (*(one.hint for one in recognizers), *more)))
