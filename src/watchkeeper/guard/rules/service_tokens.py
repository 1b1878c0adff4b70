"""WKG104: tokens of chat, payment and mail services."""

from __future__ import annotations

from collections.abc import Iterator

from watchkeeper.guard.recognizer import Match, pattern

__all__ = ["ServiceTokens"]

_TOKENS = pattern(
    r"\b(?:xox[a-z]-[A-Za-z0-9\-]{10,}|xapp-[A-Za-z0-9\-]{10,}|[srp]k_(?:live|test)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9+/=]{16,}"
    r"|SG\.[A-Za-z0-9_\-]{16,}\.[A-Za-z0-9_\-]{16,}|(?:dop|doo|dor)_v1_[a-f0-9]{32,}|sq0[a-z]{3}-[A-Za-z0-9_\-]{20,}"
    r"|ya29\.[A-Za-z0-9_\-]{20,}|GOCSPX-[A-Za-z0-9_\-]{20,}|hv[sb]\.[A-Za-z0-9_\-]{24,}|dapi[a-f0-9]{32}|shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"
    r"|ntn_[A-Za-z0-9]{40,}|lin_api_[A-Za-z0-9]{32,}|figd_[A-Za-z0-9_\-]{30,}|AGE-SECRET-KEY-1[A-Z0-9]{50,}|csk-[A-Za-z0-9]{20,})"
    r"|hooks\.slack\.com/(?:services|workflows)/([A-Za-z0-9/_\-]{10,})"
    r"|\bbot(\d{6,12}:[A-Za-z0-9_\-]{30,})"
)


class ServiceTokens:
    """Slack (`xoxb-…`, webhooks), Stripe (`sk_live_…`), SendGrid, Telegram, Square, Google, Vault and other services' tokens.

    Why is this bad: it speaks, charges or mails in the owner's name.
    """

    code = "WKG104"
    name = "service_tokens"
    kind = "key"
    family = "secret"
    hint = (
        r"\bxox[a-z]-|\bxapp-|\b[srp]k_(?:live|test)_|\bwhsec_|\bSG\.[a-z0-9_\-]{16}|\bdo[por]_v1_|\bsq0[a-z]{3}-"
        r"|\bya29\.|\bGOCSPX-|\bhv[sb]\.|\bdapi[a-f0-9]{32}|\bshp[a-z]{2}_|\bntn_|\blin_api_|\bfigd_|\bAGE-SECRET-|\bcsk-"
        r"|hooks\.slack\.com/|\bbot\d{6,12}:"
    )

    def find(self, text: str) -> Iterator[Match]:
        """Go through tokens; of a webhook's address only the part that opens it."""
        for found in _TOKENS.finditer(text):
            part = next((number for number in (1, 2) if found.group(number) is not None), 0)
            yield Match(*found.span(part))
