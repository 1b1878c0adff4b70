"""WKG109: what a name says is a secret."""

from __future__ import annotations

from collections.abc import Iterator

from watchkeeper.guard.recognizer import Match, pattern

__all__ = ["NamedSecret", "is_placeholder", "names_secret"]

_STRONG = (
    "passwort", "kennwort", "wachtwoord",
    "password", "passwd", "passphrase", "pwd", "apikey", "accesskey", "secretkey", "privatekey", "accountkey", "clientsecret",
    "authtoken", "accesstoken", "refreshtoken", "idtoken", "bearertoken", "sessiontoken", "secretaccesskey", "authorization",
    "cookie", "secret", "credential", "credentials", "signingkey", "encryptionkey", "sharedaccesskey",
)  # fmt: skip
_PAIR = pattern(
    r"(?i)([a-z0-9_.\-]*(?:passw(?:or)?[dt]|kennwort|contrase(?:ñ|n)a|mot de passe|wachtwoord"
    r"|passphrase|pwd|api[_\-]?key|(?:access|secret|private|account|signing|encryption)[_\-]?key"
    r"|secret|(?:auth|access|refresh|id|bearer|session)[_\-]?token|credentials?|x-amz-security-token))"
    r"\\?[\"']?(\s*(?:=>|=|:)\s*)(?:\\?[\"'])?([^\s\"',;&}\])<>\\]{4,})"
)
_FLAG = pattern(r"(?i)--[a-z\-]*(?:password|passwd|token|secret|api-key)\s+([^\s\"',;&<>\\\-][^\s\"',;&<>\\]{3,})")
_SET_COOKIE = pattern(r"(?i)\b(?:set-)?cookie\\?[\"']?\s*[:=]\s*(?:\\?[\"'])?([^\s\"'\\][^\n\"'\\]{3,})")
_WORDS = frozenset({
    "string", "none", "null", "true", "false", "required", "optional", "undefined", "nothing", "empty", "redacted", "missing",
    "invalid", "expired", "wrong", "incorrect", "password", "secret", "changed", "reset", "hidden", "masked", "object",
    "boolean", "integer", "number", "self", "your", "must", "should", "cannot", "that", "this", "with", "what", "when",
})  # fmt: skip
_HELD = (
    "[MASKED:",
    "$",
    "{",
    "<",
    "*",
    "os.",
    "env.",
    "process.",
    "getenv",
    "settings.",
    "config.",
    "http://",
    "https://",
)
_LOOSE = (
    "passwort",
    "kennwort",
    "contraseña",
    "contrasena",
    "mot de passe",
    "wachtwoord",
    "secret",
    "credential",
    "credentials",
    "pwd",
)
_LONG = 12


class NamedSecret:
    """A value behind a name such as `password`, `api_key`, `client_secret` or `access_token`, in prose, code or a query.

    Why is this bad: most secrets have no mark of their own (a Mistral key is 32 plain letters); the name beside
    them is all there is to tell them by.
    """

    code = "WKG109"
    name = "named_secret"
    kind = "password"
    family = "secret"
    hint = (
        r"--[a-z\-]*(?:password|passwd|token|secret|api-key)\s"
        r"|(?:passw(?:or)?[dt]|kennwort|contrase(?:ñ|n)a|mot de passe|wachtwoord|passphrase|pwd"
        r"|(?:api|access|secret|private|account|signing|encryption)[_\-]?key|secret|credentials?"
        r"|(?:auth|access|refresh|id|bearer|session|security)[_\-]?token|authorization|cookie)\\?[\"']?\s*[=:]"
    )

    def find(self, text: str) -> Iterator[Match]:
        """Go through values; words of prose, types and references to a variable are none."""
        for found in _PAIR.finditer(text):
            value = found.group(3)
            if not is_placeholder(value) and _is_meant(found.group(1), found.group(2), value):
                yield Match(found.start(3), found.start(3) + len(value.rstrip(".")))
        for found in _FLAG.finditer(text):
            if any(letter.isdigit() for letter in found.group(1)) and not is_placeholder(found.group(1)):
                yield Match(*found.span(1))
        for found in _SET_COOKIE.finditer(text):
            if "=" in found.group(1):
                yield Match(*found.span(1))


def names_secret(key: str) -> bool:
    """Say whether a field's name alone makes its value a secret: its last word is one of a closed list."""
    plain = key.lower().replace("_", "").replace("-", "")
    return plain.endswith(_STRONG)


def is_placeholder(value: str) -> bool:
    """Say whether a value stands for a secret without being one: a type, a reference, a mask."""
    return value.startswith(_HELD) or value.lower().strip(".:!?()") in _WORDS or not value.strip("*.xX•- ")


def _is_meant(name: str, sign: str, value: str) -> bool:
    if "=" in sign or not name.lower().endswith(_LOOSE):
        return True
    # "The secret: patience" is prose; a secret has a digit or a length that no word has.
    return any(letter.isdigit() for letter in value) or (len(value) >= _LONG and not value.isalpha())
