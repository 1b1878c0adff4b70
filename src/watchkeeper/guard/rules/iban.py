"""WKG203: bank accounts."""

from __future__ import annotations

from collections.abc import Iterator

from watchkeeper.guard.recognizer import Match, pattern

__all__ = ["Iban"]

_LENGTHS = {
    name: int(size)
    for name, size in (
        pair.split(":")
        for pair in [
            "AD:24",
            "AE:23",
            "AL:28",
            "AT:20",
            "AZ:28",
            "BA:20",
            "BE:16",
            "BG:22",
            "BH:22",
            "BI:27",
            "BR:29",
            "BY:28",
            "CH:21",
            "CR:22",
            "CY:28",
            "CZ:24",
            "DE:22",
            "DJ:27",
            "DK:18",
            "DO:28",
            "EE:20",
            "EG:29",
            "ES:24",
            "FI:18",
            "FK:18",
            "FO:18",
            "FR:27",
            "GB:22",
            "GE:22",
            "GI:23",
            "GL:18",
            "GR:27",
            "GT:28",
            "HN:28",
            "HR:21",
            "HU:28",
            "IE:22",
            "IL:23",
            "IQ:23",
            "IS:26",
            "IT:27",
            "JO:30",
            "KW:30",
            "KZ:20",
            "LB:28",
            "LC:32",
            "LI:21",
            "LT:20",
            "LU:20",
            "LV:21",
            "LY:25",
            "MC:27",
            "MD:24",
            "ME:22",
            "MK:19",
            "MN:20",
            "MR:27",
            "MT:31",
            "MU:30",
            "NI:28",
            "NL:18",
            "NO:15",
            "OM:23",
            "PK:24",
            "PL:28",
            "PS:29",
            "PT:25",
            "QA:29",
            "RO:24",
            "RS:22",
            "RU:33",
            "SA:24",
            "SC:31",
            "SD:18",
            "SE:24",
            "SI:19",
            "SK:24",
            "SM:27",
            "SO:23",
            "ST:25",
            "SV:28",
            "TL:23",
            "TN:24",
            "TR:26",
            "UA:29",
            "VA:22",
            "VG:24",
            "XK:20",
            "YE:30",
        ]
    )
}  # ISO 13616
_START = rf"\b(?:{'|'.join(_LENGTHS)})\d{{2}}"
_BEGIN = pattern(rf"(?i){_START}[ \t\-\x{{a0}}\x{{2009}}\x{{202f}}]?[A-Z0-9]{{4}}")
_GAPS = " \t-\u00a0\u2009\u202f"
_LETTER_BASE = 55


class Iban:
    """An IBAN of its country's length whose check digits hold, written together or in groups.

    Why is this bad: it is a person's account, and enough for a direct debit.
    """

    code = "WKG203"
    name = "iban"
    kind = "iban"
    family = "number"
    hint = rf"{_START}[ \t\-\x{{a0}}\x{{2009}}\x{{202f}}]?[A-Z0-9]{{4}}"

    def find(self, text: str) -> Iterator[Match]:
        """Go through accounts; check digits keep ids and words out."""
        for found in _BEGIN.finditer(text):
            end = _end(text, found.start())
            if end is not None:
                yield Match(found.start(), end)


def _end(text: str, start: int) -> int | None:
    wanted = _LENGTHS[text[start : start + 2].upper()]
    taken: list[str] = []
    place = start
    while place < len(text) and len(taken) < wanted:
        letter = text[place]
        if letter.isascii() and letter.isalnum():
            taken.append(letter.upper())
        elif letter not in _GAPS or text[place - 1] in _GAPS:
            return None
        place += 1
    if len(taken) < wanted or (place < len(text) and (text[place].isalnum() or text[place] == "_")):
        return None
    moved = taken[4:] + taken[:4]
    number = int("".join(one if one.isdigit() else str(ord(one) - _LETTER_BASE) for one in moved))
    return place if number % 97 == 1 else None
