"""WKG110: a value that a bare `token=`, a signed address, `curl -u` or a sentence gives away."""

from __future__ import annotations

import re
from collections.abc import Iterator

from watchkeeper.guard.recognizer import Match, pattern
from watchkeeper.guard.rules.named_secret import is_placeholder

__all__ = ["LooseSecret"]

_NAMED = pattern(r"(?i)\b(?:token|jwt|bearer|authorization)\\?[\"']?\s*[=:]\s*(?:\\?[\"'])?([A-Za-z0-9._~+/%=\-]{8,})")
_SIGNED = pattern(r"(?i)[?&;](?:sig|signature|x-(?:amz|goog)-signature|code|auth)=([A-Za-z0-9._~+/%\-]{16,}=*)")
_USER = pattern(r"\s(?:-u|--user|-U|--proxy-user)[\s=]\s*[\"']?[^\s:\"'/]{1,100}:([^\s\"'`\\]{3,})")
_SAID = pattern(
    r"(?i)\b(?:password|passcode|passwort|kennwort|mot de passe|contrase(?:ñ|n)a|wachtwoord)"
    r"\s+(?:is|was|ist|lautet|est|es)\s*:?\s*[\"'`]?([^\s\"'`,;<>()]{6,})"
)
_COMMAND = 300
"""How far before `-u` its `curl` is looked for."""
_LONG = 20
_PART = re.compile(r"[0-9]+")
_COMPOUND = re.compile(r"[-/][A-Za-zäöüéèß]{4,}$")
_SCHEMES = ("bearer", "basic", "digest", "negotiate", "token")


class LooseSecret:
    """`token=…`, `Bearer: …`, `?sig=…`, `curl -u user:…` and "the password is …", where the value is no word.

    Why is this bad: addresses and commands are pasted into chats and logged whole. The names are everyday words, so
    the value has to look drawn by lot: digits among letters, or a length and a digit that no word has.
    """

    code = "WKG110"
    name = "loose_secret"
    kind = "password"
    family = "secret"
    hint = (
        r"\b(?:token|jwt|bearer|authorization)\\?[\"']?\s*[=:]"
        r"|[?&;](?:sig|signature|x-(?:amz|goog)-signature|code|auth)="
        r"|\s(?:-u|--user|--proxy-user)[\s=]"
        r"|\b(?:password|passcode|passwort|kennwort|mot de passe|contrase(?:ñ|n)a|wachtwoord)\s+(?:is|was|ist|lautet|est|es)\b"
    )

    def find(self, text: str) -> Iterator[Match]:
        """Go through values; names of variables, calls, counts and prose are none."""
        for found in _NAMED.finditer(text):
            start, end = found.span(1)
            value = found.group(1).rstrip(".")
            if _is_drawn(value) and text[end : end + 1] not in {"(", "["}:
                yield Match(start, start + len(value))
        for found in _SIGNED.finditer(text):
            if _is_drawn(found.group(1)):
                yield Match(*found.span(1))
        for found in _USER.finditer(text):
            value, start = found.group(1), found.start()
            if (
                not value.isdigit()
                and not is_placeholder(value)
                and text.rfind("curl", max(0, start - _COMMAND), start) >= 0
            ):
                yield Match(*found.span(1))
        for found in _SAID.finditer(text):
            value = found.group(1).rstrip(".!?")
            if _is_password(value):
                yield Match(found.start(1), found.start(1) + len(value))


def _is_drawn(value: str) -> bool:
    """Say whether it is made of letters and digits in a way that no name of a variable is."""
    runs = len(_PART.findall(value))
    if not runs or not any(letter.isalpha() for letter in value) or is_placeholder(value):
        return False
    if value.lower().startswith(_SCHEMES) or _is_path(value):
        return False
    mixed = not value.islower() and not value.isupper() and not value.istitle()
    return runs > 1 or mixed or len(value) >= _LONG


def _is_path(value: str) -> bool:
    """Say whether it is how code reaches a variable."""
    parts = value.split(".")
    return len(parts) > 1 and all(part.isidentifier() for part in parts)


def _is_password(value: str) -> bool:
    said = not value.isdigit() and _PART.search(value) is not None and not is_placeholder(value)
    return said and any(letter.isalpha() for letter in value) and _COMPOUND.search(value) is None
