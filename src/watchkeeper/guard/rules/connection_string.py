"""WKG108: passwords inside connection strings and URLs."""

from __future__ import annotations

from collections.abc import Iterator

from watchkeeper.guard.recognizer import Match, pattern

__all__ = ["ConnectionString"]

_ADDRESS = pattern(r"(?i)\b[a-z][a-z0-9+.\-]{1,30}://[^\s/:@?#\"'<>\\]*:([^\s/@\"'<>\\]+)@")
_HELD = ("[MASKED:", "$", "{", "<", "*")


class ConnectionString:
    """`postgres://user:PASSWORD@host`: of any scheme, the password between `:` and `@`.

    Why is this bad: drivers print the whole address when they cannot connect, and the message lands in the trace.
    """

    code = "WKG108"
    name = "connection_string"
    kind = "password"
    family = "secret"
    hint = r"://[^\s/:@?#\"'<>\\]*:[^\s/@\"'<>\\]+@"

    def find(self, text: str) -> Iterator[Match]:
        """Go through passwords; a placeholder is none."""
        for found in _ADDRESS.finditer(text):
            if not found.group(1).startswith(_HELD):
                yield Match(*found.span(1))
