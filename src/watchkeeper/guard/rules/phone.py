"""WKG202: phone numbers."""

from __future__ import annotations

from collections.abc import Iterator

from watchkeeper.guard.recognizer import Match, pattern

__all__ = ["Phone"]

_GAP = r"[ \x{a0}\x{2009}\x{202f}.\-\x{2010}\x{2011}\x{2013}/()]"
_WORDS = r"(?:tel|telefon|telephone|phone|mobile|mobil|cell|fax|whatsapp|natel|handy|call|sms|t[ée]l[ée]phone)"
_WORLD = rf"(?:\+|\b00){_GAP}?[1-9](?:{_GAP}{{0,3}}\d){{6,14}}"
_ZERO = rf"\(?\b0[1-9](?:{_GAP}{{0,2}}\d){{7,9}}\b"
_AMERICA = rf"\(?\b[2-9]\d{{2}}\)?{_GAP}{{1,2}}[2-9]\d{{2}}[ .\-]\d{{4}}\b"
_LABELLED = rf"\b{_WORDS}[a-z]{{0,8}}[^\pL\pN\n]{{1,6}}\(?\d(?:{_GAP}{{0,2}}\d){{6,14}}\b"
_NUMBER = pattern(rf"(?i)({_WORLD})|({_ZERO})|({_AMERICA})|({_LABELLED})")
_DATE = pattern(r"^\D?\d{1,2}([./\-])\d{1,2}[./\-](?:\d{4}|\d{2})\b|^\D?\d{4}-\d{2}-\d{2}")
_FIRST = pattern(r"[+(]*\d")

_ONE_DIGIT = frozenset("17")
_TWO_DIGITS = frozenset(
    [
        "20",
        "27",
        "30",
        "31",
        "32",
        "33",
        "34",
        "36",
        "39",
        "40",
        "41",
        "43",
        "44",
        "45",
        "46",
        "47",
        "48",
        "49",
        "51",
        "52",
        "53",
        "54",
        "55",
        "56",
        "57",
        "58",
        "60",
        "61",
        "62",
        "63",
        "64",
        "65",
        "66",
        "81",
        "82",
        "84",
        "86",
        "90",
        "91",
        "92",
        "93",
        "94",
        "95",
        "98",
    ]
)
_THREE_STARTS = frozenset(
    [
        "21",
        "22",
        "23",
        "24",
        "25",
        "26",
        "29",
        "35",
        "37",
        "38",
        "42",
        "50",
        "59",
        "67",
        "68",
        "69",
        "80",
        "85",
        "87",
        "88",
        "96",
        "97",
        "99",
    ]
)
_SHORTEST, _LONGEST, _NANP = 8, 15, 11


class Phone:
    """A number in international form, in a national form with its leading zero, in North America's, or after a word like "tel".

    Why is this bad: it reaches a person, and with a directory it names one.
    """

    code = "WKG202"
    name = "phone"
    kind = "phone"
    family = "number"
    hint = rf"{_WORLD}|{_ZERO}|{_AMERICA}|{_LABELLED}"

    def find(self, text: str) -> Iterator[Match]:
        """Go through numbers; dates, decimals, coordinates, padded ids and addresses of hosts are none."""
        for found in _NUMBER.finditer(text):
            start, end = found.span()
            if found.group(4) is not None:
                start += _FIRST.search(found.group()).start()
            if text[start] == "(" and ")" not in text[start:end]:
                start += 1
            if _fits(text, start, end, has_label=found.group(4) is not None):
                yield Match(start, end)


def _fits(text: str, start: int, end: int, *, has_label: bool) -> bool:
    shown = text[start:end]
    digits = "".join(letter for letter in shown if letter.isdigit())
    if end < len(text) and (text[end].isalnum() or text[end] == "_"):
        return False
    if has_label:
        return not _DATE.search(shown)
    if shown.startswith("+"):
        before = text[start - 1 : start]
        return not (before.isalnum() or before == ")") and not _is_decimal(shown) and _is_world(digits)
    if _is_bound(text, start) or _DATE.search(shown) or _is_decimal(shown):
        return False
    if digits.startswith("00"):
        return _is_world(digits[2:])
    return len(set(digits)) > 1


def _is_bound(text: str, start: int) -> bool:
    """Say whether what stands before makes it the tail of something longer: an id, a path, a decimal."""
    before = text[start - 1 : start]
    return bool(before) and (before.isalnum() or before in "_-./#@$€£+")


def _is_decimal(shown: str) -> bool:
    marks = [letter for letter in shown.lstrip("+(") if not letter.isdigit()]
    return marks == ["."]


def _is_world(digits: str) -> bool:
    """Say whether the digits begin with a country's calling code (ITU-T E.164) and are as many as a number has."""
    if digits[0] in _ONE_DIGIT:
        return len(digits) == _NANP
    return _SHORTEST <= len(digits) <= _LONGEST and (digits[:2] in _TWO_DIGITS or digits[:2] in _THREE_STARTS)
