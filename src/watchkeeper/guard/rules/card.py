"""WKG204: payment cards."""

from __future__ import annotations

from collections.abc import Iterator

from watchkeeper.guard.recognizer import Match, pattern

__all__ = ["Card", "is_card"]

_RUN = r"\b[2-6]\d{3}(?:[ \t\-\x{a0}\x{2009}\x{202f}]?\d){9,15}\b"
_NUMBER = pattern(_RUN)
_SAME = 2


class Card:
    """A number of 13 to 19 digits with a card scheme's first digits and length, whose check digit (Luhn) holds.

    Why is this bad: card numbers may not be stored at all without PCI DSS controls.
    """

    code = "WKG204"
    name = "card"
    kind = "card"
    family = "number"
    hint = _RUN

    def find(self, text: str) -> Iterator[Match]:
        """Go through numbers; the tail or head of a longer one, or of an id, is none."""
        for found in _NUMBER.finditer(text):
            before, after = text[found.start() - 1 : found.start()], text[found.end() : found.end() + 2]
            joined = before in {"-", ".", "_", "/"} if before else False
            if joined or (after[:1] in {"-", "."} and after[1:].isalnum()):
                continue
            if is_card("".join(letter for letter in found.group() if letter.isdigit())):
                yield Match(*found.span())


def is_card(digits: str) -> bool:
    """Say whether the digits are a card's: scheme, length, check digit (ISO/IEC 7812)."""
    return _has_scheme(digits) and len(set(digits)) > _SAME - 1 and _luhn(digits)


def _has_scheme(digits: str) -> bool:
    size, two, four = len(digits), int(digits[:2]), int(digits[:4])
    if digits[0] == "4":
        return size in {13, 16, 19}
    if 51 <= two <= 55 or 2221 <= four <= 2720:  # noqa: PLR2004 - Mastercard
        return size == 16  # noqa: PLR2004
    if two in {34, 37}:
        return size == 15  # noqa: PLR2004 - American Express
    if two in {36, 38, 39} or 300 <= int(digits[:3]) <= 305:  # noqa: PLR2004 - Diners
        return 14 <= size <= 19  # noqa: PLR2004
    if 3528 <= four <= 3589 or two in {60, 62, 64, 65, 81}:  # noqa: PLR2004 - JCB, Discover, UnionPay, RuPay
        return 16 <= size <= 19  # noqa: PLR2004
    return (two in {50, 56, 57, 58, 63, 67}) and 13 <= size <= 19  # noqa: PLR2004 - Maestro


def _luhn(digits: str) -> bool:
    total = 0
    for place, letter in enumerate(reversed(digits)):
        value = int(letter)
        doubled = value * 2 if place % 2 else value
        total += doubled - 9 if doubled > 9 else doubled  # noqa: PLR2004 - the sum of its two digits
    return total % 10 == 0
