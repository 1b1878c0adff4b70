"""WKG201: e-mail addresses."""

from __future__ import annotations

from collections.abc import Iterator

from watchkeeper.guard.recognizer import Match, pattern

__all__ = ["Email"]

_ADDRESS = pattern(r"[\pL\pN._%+'\-]+(?:@|%40)[\pL\pN\-]+(?:\.[\pL\pN\-]+)+")
_FILES = frozenset({"png", "jpg", "jpeg", "gif", "webp", "svg", "js", "ts", "css", "py", "json"})
_SHORTEST_TLD = 2


class Email:
    """`name@domain.tld`, in any script, also percent-encoded as in URLs.

    Why is this bad: it names a person, and is personal data under the GDPR wherever it stands.
    """

    code = "WKG201"
    name = "email"
    kind = "email"
    family = "address"
    hint = r"@|%40"

    def find(self, text: str) -> Iterator[Match]:
        """Go through addresses; a version (`react@18.3.1`), a file (`icon@2x.png`) and `git@host:` are none."""
        for found in _ADDRESS.finditer(text):
            whole = found.group()
            shown = whole.rstrip("-'%+")
            start = found.start() + len(whole) - len(whole.lstrip("-'.%+"))
            local, _, domain = whole.strip("-'.%+").replace("%40", "@").rpartition("@")
            top = domain.rpartition(".")[2].lower()
            is_ssh = local == "git" and text[found.end() : found.end() + 1] == ":"
            if local and len(top) >= _SHORTEST_TLD and top not in _FILES and not top[0].isdigit() and not is_ssh:
                yield Match(start, found.start() + len(shown))
