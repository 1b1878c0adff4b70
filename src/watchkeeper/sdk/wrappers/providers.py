"""Who answers at an address: OTel's `gen_ai.provider.name` for the hosts that serve models."""

from __future__ import annotations

from typing import Any

__all__ = ["provider_of", "provider_of_client"]

# The well-known values of the convention, then hosts it has no name for under their own.
_HOSTS = (
    ("openai.azure.com", "azure.ai.openai"),
    ("services.ai.azure.com", "azure.ai.inference"),
    ("api.openai.com", "openai"),
    ("api.anthropic.com", "anthropic"),
    ("api.mistral.ai", "mistral_ai"),
    ("api.eu.mistral.ai", "mistral_ai"),
    ("api.us.mistral.ai", "mistral_ai"),
    ("codestral.mistral.ai", "mistral_ai"),
    ("api.groq.com", "groq"),
    ("api.deepseek.com", "deepseek"),
    ("api.x.ai", "x_ai"),
    ("api.perplexity.ai", "perplexity"),
    ("api.moonshot.ai", "moonshot_ai"),
    ("api.cohere.ai", "cohere"),
    ("api.cohere.com", "cohere"),
    ("generativelanguage.googleapis.com", "gcp.gemini"),
    ("aiplatform.googleapis.com", "gcp.vertex_ai"),
    ("openrouter.ai", "openrouter"),
    ("api.together.xyz", "together"),
    ("api.fireworks.ai", "fireworks"),
)


def provider_of(host: str | None, speaks: str = "openai") -> str:
    """Name the provider behind a host; whose API it `speaks`, where the host says nothing."""
    name = (host or "").lower()
    for known, provider in _HOSTS:
        if name == known or name.endswith(("." + known, "-" + known)):
            return provider
    return speaks


_CLASSES = (
    ("Bedrock", "aws.bedrock"),
    ("Vertex", "gcp.vertex_ai"),
    ("GoogleCloud", "gcp.vertex_ai"),
    ("Azure", "azure.ai.openai"),
)


def provider_of_client(client: Any, host: str | None, speaks: str) -> str:
    """Name the provider behind a client: by its host, else by its class where a vendor made one for a cloud."""
    names = [base.__name__ for base in type(client).__mro__]
    cloud = next((provider for part, provider in _CLASSES if any(part in name for name in names)), speaks)
    return provider_of(host, cloud)
