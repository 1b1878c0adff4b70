"""What a provider is called: OpenTelemetry's names for it, whatever a dialect or a library calls it."""

from __future__ import annotations

__all__ = ["provider_of"]

_ALIASES: dict[str, tuple[str, ...]] = {
    "openai": ("open_ai",),
    "anthropic": ("claude",),
    "aws.bedrock": (
        "aws", "bedrock", "amazon_bedrock", "aws_bedrock", "bedrock_converse", "amazon", "aws.bedrock_runtime",
    ),
    "azure.ai.openai": ("azure", "az.ai.openai", "azure_openai", "azureopenai", "azure_ai_openai"),
    "azure.ai.inference": ("az.ai.inference", "azure_ai", "azure_ai_inference"),
    "gcp.gemini": (
        "gemini", "google", "google_genai", "google_gla", "google.generative_ai", "google_generativeai", "google_ai",
        "google_ai_studio", "gcp.gen_ai", "google_generative_ai",
    ),
    "gcp.vertex_ai": (
        "vertex_ai", "vertexai", "vertex", "google_vertex", "google.vertex", "google_vertexai", "google_vertex_ai",
        "gcp.vertexai",
    ),
    "mistral_ai": ("mistral", "mistralai"),
    "x_ai": ("xai",),
    "moonshot_ai": ("moonshot", "moonshotai"),
    "ibm.watsonx.ai": ("watsonx", "ibm", "ibm_watsonx", "watsonx_ai"),
    "together_ai": ("together", "togetherai"),
    "fireworks_ai": ("fireworks", "fireworksai"),
    "deepseek": (), "groq": (), "cohere": ("cohere_chat",), "perplexity": ("perplexityai",), "ollama": ("ollama_chat",),
    "openrouter": (), "replicate": (), "cerebras": (),
}  # fmt: skip
_NAMES = {alias: name for name, aliases in _ALIASES.items() for alias in (name, *aliases)}
_NOBODY = frozenset({"_other", "langchain", "llamaindex", "unknown", "n/a"})
"""What some write where they do not know it: a library, or that it is none of those they know."""
_KEPT_MAX = 1000
_kept: dict[str, str | None] = {}


def provider_of(told: str | None) -> str | None:
    """Return OpenTelemetry's name of a provider; one that it has no name for is called as it was, nobody is None."""
    if told is None:
        return None
    found = _kept.get(told, "")
    if found == "":
        low = told.strip().lower().replace("-", "_").replace(" ", "_")
        found = None if low in _NOBODY else _NAMES.get(low, told)
        if len(_kept) >= _KEPT_MAX:
            _kept.clear()
        _kept[told] = found
    return found
