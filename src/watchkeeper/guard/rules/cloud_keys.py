"""WKG102: access keys of clouds."""

from __future__ import annotations

from collections.abc import Iterator

from watchkeeper.guard.recognizer import Match, pattern

__all__ = ["CloudKeys"]

_IDS = pattern(r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b")
_SECRETS = pattern(
    r"(?i)\baws.{0,20}?(?:secret|sk).{0,20}?[\s\"'=:>]([A-Za-z0-9/+]{40})(?:[^A-Za-z0-9/+=]|$)"
    r"|[?&](?:X-Amz-Signature|X-Amz-Security-Token|X-Goog-Signature|sig)=([A-Za-z0-9%/+_\-]{16,})"
)
_BOTH = 2


class CloudKeys:
    """AWS access key ids (`AKIA…`) with their secrets, and the signatures of presigned URLs.

    Why is this bad: a cloud key in a trace is a cloud account in a trace; a presigned URL opens its file to anyone.
    """

    code = "WKG102"
    name = "cloud_keys"
    kind = "key"
    family = "secret"
    hint = r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b|\baws.{0,20}(?:secret|sk)|[?&](?:X-Amz-S|X-Goog-S|sig=)"

    def find(self, text: str) -> Iterator[Match]:
        """Go through key ids, the secrets that a word names, and signatures."""
        for found in _IDS.finditer(text):
            yield Match(*found.span())
        for found in _SECRETS.finditer(text):
            yield Match(*found.span(1 if found.group(1) is not None else _BOTH))
