"""WKG103: tokens of code forges and package registries."""

from __future__ import annotations

from collections.abc import Iterator

from watchkeeper.guard.recognizer import Match, pattern

__all__ = ["ForgeTokens"]

_TOKENS = pattern(
    r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|gl(?:pat|dt|rt|ptt|oas|cbt|soat|ft|imt|agent)-[A-Za-z0-9_\-]{16,}"
    r"|npm_[A-Za-z0-9]{30,}|pypi-[A-Za-z0-9_\-]{40,}|dckr_pat_[A-Za-z0-9_\-]{20,})"
)


class ForgeTokens:
    """GitHub (`ghp_…`, `github_pat_…`), GitLab (`glpat-…`), npm, PyPI and Docker Hub tokens.

    Why is this bad: it is the right to change the source, or to publish a package, in the owner's name.
    """

    code = "WKG103"
    name = "forge_tokens"
    kind = "key"
    family = "secret"
    hint = r"\bgh[pousr]_|\bgithub_pat_|\bgl(?:pat|dt|rt|ptt|oas|cbt|soat|ft|imt|agent)-|\bnpm_|\bpypi-|\bdckr_pat_"

    def find(self, text: str) -> Iterator[Match]:
        """Go through tokens."""
        return (Match(*found.span()) for found in _TOKENS.finditer(text))
