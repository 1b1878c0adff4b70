"""One mode's way of looking at attribute maps: what to read first, and how each value is masked after a hit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from watchkeeper.guard.keys import Role, role_of
from watchkeeper.guard.pseudonyms import Pseudonyms
from watchkeeper.guard.recognizer import Recognizer
from watchkeeper.guard.rules.named_secret import is_placeholder, names_secret
from watchkeeper.guard.scanner import Counts, Scanner, Stamp, label
from watchkeeper.model import Attributes, AttributeValue

__all__ = ["Lens"]

_KEYS_KEPT = 20_000
_STRUCTURE, _SECRET, _RESERVED = Role.STRUCTURE, Role.SECRET, Role.RESERVED  # a member's look-up is not free
_DEEP = frozenset({list, dict, bytes})
_SHORTEST = 5
"""No recogniser finds anything in a shorter text."""


class Lens:
    """Masks attribute maps with a set of recognisers; keys are judged once and remembered, boundedly."""

    def __init__(self, recognizers: Iterable[Recognizer], pseudonyms: Pseudonyms) -> None:
        self.scanner = Scanner(recognizers)
        self._stamp: Stamp = pseudonyms.stamp
        self._roles: dict[str, Role] = {}
        self._renamed: dict[str, str] = {}

    def gather(self, attributes: Attributes, content: list[str], structure: list[str]) -> bool:
        """Put every text of a map on the two lists; False when the map has to be masked whatever they hold."""
        roles = self._roles
        plain = True
        for key, value in attributes.items():
            role = roles.get(key)
            if role is None:
                role = self._role(key)
            if role is _SECRET or role is _RESERVED:
                plain = False
            elif type(value) is str:
                if len(value) > _SHORTEST:
                    (structure if role is _STRUCTURE else content).append(value)
            elif type(value) in _DEEP:
                plain = _gather_deep(value, content) and plain
        return plain

    def attributes(self, attributes: Attributes, counts: Counts) -> Attributes:
        """Return the map masked."""
        found: Attributes = {}
        for key, value in attributes.items():
            role = self._roles.get(key) or self._role(key)
            name = self._renamed.get(key, key)
            if name != key:
                self.scanner.mask(key, counts)
            if role != Role.RESERVED or key in self._renamed:
                found[name] = self._value(value, role, counts)
        return found

    def text(self, text: str, counts: Counts, *, role: Role = Role.CONTENT) -> str:
        """Return a text masked as a value of that role would be."""
        if len(text) <= _SHORTEST:
            return text
        if role == Role.IDENTITY:
            return self.scanner.mask(text, counts, stamp=self._stamp)
        return self.scanner.mask(text, counts, numbers=role != Role.STRUCTURE)

    def value(self, value: AttributeValue, counts: Counts) -> AttributeValue:
        """Return a value without a key, such as a log record's body, masked."""
        return self._value(value, Role.CONTENT, counts)

    def _value(self, value: AttributeValue, role: Role, counts: Counts) -> AttributeValue:
        if isinstance(value, str):
            return _secret(value, counts) if role == Role.SECRET else self.text(value, counts, role=role)
        if isinstance(value, bytes):
            # One character a byte and back: what is not text stays as it is.
            return str(self._value(value.decode("latin-1"), role, counts)).encode("latin-1", "replace")
        if isinstance(value, list):
            return [self._value(item, role, counts) for item in value]
        if isinstance(value, dict):
            return {
                self.text(key, counts): self._value(item, Role.SECRET if names_secret(key) else role, counts)
                for key, item in value.items()
            }
        return value

    def _role(self, key: str) -> Role:
        role = role_of(key)
        if len(self._roles) > _KEYS_KEPT:
            self._roles.clear()
            self._renamed.clear()
        masked = self.text(key, {})
        if masked != key:
            self._renamed[key] = masked
            role = Role.RESERVED
        self._roles[key] = role
        return role


def _secret(value: str, counts: Counts) -> str:
    if not value or is_placeholder(value):
        return value
    counts["password"] = counts.get("password", 0) + 1
    return label("password")


def _gather_deep(value: Any, content: list[str]) -> bool:  # noqa: ANN401 - walks an AnyValue
    """Put the texts of a nested value on the list; False when a name in it makes a secret of its value."""
    if isinstance(value, str):
        content.append(value)
        return True
    if isinstance(value, bytes):
        content.append(value.decode("latin-1"))
        return True
    if isinstance(value, list):
        return sum(not _gather_deep(item, content) for item in value) == 0
    if isinstance(value, dict):
        content.extend(value)
        return sum(not _gather_deep(item, content) or names_secret(key) for key, item in value.items()) == 0
    return True
