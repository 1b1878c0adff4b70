"""WKG101: keys of model providers, and our own."""

from __future__ import annotations

from collections.abc import Iterator

from watchkeeper.guard.recognizer import Match, pattern

__all__ = ["ProviderKeys"]

_KEYS = pattern(
    r"\b(?:[sp]k-[A-Za-z0-9_\-]{16,}"  # OpenAI, Anthropic, DeepSeek, OpenRouter, Langfuse, our own
    r"|AIza[A-Za-z0-9_\-]{30,}"  # Google
    r"|hf_[A-Za-z0-9]{20,}|gsk_[A-Za-z0-9]{20,}|xai-[A-Za-z0-9]{20,}|pplx-[A-Za-z0-9]{20,}|r8_[A-Za-z0-9]{20,}"
    r"|nvapi-[A-Za-z0-9_\-]{20,}|lsv2_[a-z]{2}_[A-Za-z0-9_]{20,}|tvly-[A-Za-z0-9\-]{16,}|fw_[A-Za-z0-9]{20,})"
)


class ProviderKeys:
    """A key that starts with a provider's own mark: `sk-…`, `sk-ant-…`, `AIza…`, `hf_…`, `gsk_…`, `pk-…`.

    Why is this bad: whoever reads the trace can spend the owner's money and read what the key can read. Prompts and
    error messages quote keys often, for a wrong key is printed by most clients.
    """

    code = "WKG101"
    name = "provider_keys"
    kind = "key"
    family = "secret"
    hint = r"\b[sp]k-[a-z0-9_\-]{16}|\bAIza|\bhf_|\bgsk_|\bxai-|\bpplx-|\br8_|\bnvapi-|\blsv2_|\btvly-|\bfw_"

    def find(self, text: str) -> Iterator[Match]:
        """Go through keys; a slug of words (`sk-learn-pipeline-of-mine`) has no digit and is none."""
        for found in _KEYS.finditer(text):
            if any(letter.isdigit() for letter in found.group()):
                yield Match(*found.span())
