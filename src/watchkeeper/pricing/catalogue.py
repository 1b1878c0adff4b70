"""The packaged price table, `genai-prices`: found once a model, provider and hour, then remembered.

Imported on first use (a named lazy seam): it brings 1.6 MB of data that a server without model calls never needs.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from importlib.metadata import version
from typing import Any

from watchkeeper.pricing.rates import Rate, Rates

__all__ = ["SOURCE", "catalogue_version", "look_up", "provider_id", "second_id"]

SOURCE = "genai-prices"

_PROVIDERS = {
    "mistral_ai": "mistral", "x_ai": "x-ai", "xai": "x-ai", "aws.bedrock": "aws", "bedrock": "aws",
    "azure.ai.openai": "azure", "azure.ai.inference": "azure", "az.ai.openai": "azure", "az.ai.inference": "azure",
    "gcp.gemini": "google", "gcp.gen_ai": "google", "gcp.vertex_ai": "google", "vertex_ai": "google",
    "gemini": "google", "moonshot_ai": "moonshotai",
}  # fmt: skip
_KEYS = {
    "input_mtok": "input", "output_mtok": "output", "cache_read_mtok": "cache_read", "cache_write_mtok": "cache_write",
    "input_audio_mtok": "input_audio", "output_audio_mtok": "output_audio", "input_image_mtok": "input_image",
    "output_reasoning_mtok": "reasoning",
}  # fmt: skip
_NS = 1_000_000_000
_KILO = 1_000


def catalogue_version() -> str:
    """Return the table's version, which is its package's."""
    return version(SOURCE)


def provider_id(provider: str | None) -> str | None:
    """Return the table's own name of a provider."""
    low = (provider or "").lower()
    return _PROVIDERS.get(low, low) or None


def second_id(provider: str | None) -> str | None:
    """Return the second table's name of a provider, which keeps Vertex apart from Google's own API."""
    return "vertex" if "vertex" in (provider or "").lower() else provider_id(provider)


def look_up(provider: str | None, model: str, time_ns: int, tier: str | None = None) -> Rates | None:
    """Return the US dollar rates of a model at a time, or None when the table does not know it.

    `tier` is the provider's service tier (flex, priority, …), which has prices of its own with some.
    """
    found = _model(provider_id(provider), model)
    if found is None:
        return None
    moment = datetime.fromtimestamp(time_ns / _NS, UTC)
    try:
        return _rates(found.get_prices(moment, {"service_tier": tier} if tier else None))
    except LookupError:
        return None


@lru_cache(4_096)
def _model(provider: str | None, model: str) -> Any:  # noqa: ANN401 - genai-prices' own type, or None
    from genai_prices.data_snapshot import get_snapshot

    try:
        return get_snapshot().find_provider_model(model, None, provider, None)[1]
    except LookupError:
        return None


def _rates(price: Any) -> Rates:  # noqa: ANN401 - genai-prices resolves its attributes at run time
    given = {ours: _rate(value) for key, ours in _KEYS.items() if (value := getattr(price, key)) is not None}
    per_thousand = getattr(price, "requests_kcount")  # noqa: B009 - resolved at run time, unknown to the type
    request = int(per_thousand * _NS / _KILO) if isinstance(per_thousand, Decimal) else 0
    return Rates(**given, request=request)


def _rate(value: Any) -> Rate:  # noqa: ANN401 - a Decimal or genai-prices' tiers
    if isinstance(value, Decimal):
        return Rate.of(value)
    return Rate.of(value.base, tuple((tier.start, tier.price) for tier in value.tiers))
