"""Where a model call was answered, as far as the span says so: a region is told, never guessed.

In this order: what the provider reported (`anthropic.usage.inference_geo`), an inference profile or ARN of Bedrock in
the model's name, the endpoint's host, and span attributes that name the called service's region. A resource's
`cloud.region` is where the app runs, which says nothing of a model elsewhere: it counts only for one on the same machine.
A host that serves several regions (api.openai.com, api.mistral.ai, *.openai.azure.com) gives none.
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import urlsplit

from watchkeeper.ingest.read import text
from watchkeeper.model import Attributes

__all__ = ["host_of", "region_of", "region_of_host"]

_CLOUD_REGION = "cloud.region"
_GEO = "anthropic.usage.inference_geo"
_ATTRIBUTES = (_CLOUD_REGION, "aws.region")
"""On a span, OTel's AWS instrumentations name the region of the service they call; no other cloud's do."""

_URLS = ("url.full", "http.url")
_HOSTS = ("server.address", "net.peer.name")
_NAME = r"[a-z]{2,14}(?:-[a-z]+)+-?[0-9]{1,2}"
_AWS = re.compile(rf"(?:^|\.)({_NAME})\.(?:vpce\.)?(?:amazonaws\.com(?:\.cn)?|amazonaws\.eu|api\.aws)$")
_PATTERNS = (
    _AWS,
    re.compile(rf"^({_NAME})-aiplatform\.googleapis\.com$"),
    re.compile(r"^aiplatform\.([a-z]{2})\.rep\.googleapis\.com$"),
    re.compile(rf"^[a-z-]+\.({_NAME})\.rep\.googleapis\.com$"),
    re.compile(r"^([a-z]{2})\.api\.openai\.com$"),
    re.compile(r"^api\.([a-z]{2})\.mistral\.ai$"),
    re.compile(rf"^({_NAME})\.api\.x\.ai$"),
    re.compile(r"^([a-z]{4,24}[0-9]?)\.api\.cognitive\.microsoft\.com$"),
    re.compile(r"^[a-z0-9-]+\.([a-z]{4,24}[0-9]?)\.(?:inference\.ml\.azure\.com|models\.ai\.azure\.com)$"),
    re.compile(r"^(?:[a-z-]+\.)?inference\.([a-z]{2}-[a-z]{3})\.ionos\.com$"),
    re.compile(r"^(?:[a-z-]+\.)+([a-z]{2}[0-9]{2})\.onstackit\.cloud$"),
)
_ONE_PLACE = {"api.scaleway.ai": "fr-par"}
_VENDORS = "ai21|amazon|anthropic|cohere|deepseek|google|luma|meta|minimax|mistral|moonshotai?|nvidia|openai|qwen|stability|twelvelabs|writer|zai"  # noqa: E501
_PROFILE = re.compile(rf"^(?:bedrock/)?(?:converse/)?(us-gov|us|eu|apac|jp|au|ca|global)\.(?:{_VENDORS})\.")
_ARN = re.compile(rf"^arn:aws[a-z-]*:(?:bedrock|sagemaker):({_NAME}):[0-9]*:(?P<kind>[a-z-]+)/(?P<rest>.+)$")
_LONGEST_NAME = 253  # of a host, by RFC 1035
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1", "[::1]"})


def host_of(own: Attributes) -> str | None:
    """Return the host that was called, lower-case, without port; None where the span names none."""
    for key in _HOSTS:
        if found := text(own.get(key)):
            return found.lower().rstrip(".")
    for key in _URLS:
        if found := text(own.get(key)):
            try:
                return urlsplit(found).hostname
            except ValueError:
                continue
    return None


def region_of(own: Attributes, resource: Attributes, host: str | None, model: str | None) -> str | None:
    """Return the region a call was answered in, as its provider writes it, lower-case; None where nothing says it."""
    geo = text(own.get(_GEO))
    found = geo or _of_model(model or "") or (region_of_host(host) if host else None)
    if found is None:
        found = next((told for key in _ATTRIBUTES if (told := text(own.get(key)))), None)
    if found is None and host in _LOOPBACK:
        found = text(resource.get(_CLOUD_REGION))
    return found.lower() if found else None


def region_of_host(host: str) -> str | None:
    """Return the region that a provider's host names."""
    low = host.lower()
    return (_region_of if len(low) <= _LONGEST_NAME else _region_of.__wrapped__)(low)


@lru_cache(maxsize=1024)
def _region_of(low: str) -> str | None:
    if low in _ONE_PLACE:
        return _ONE_PLACE[low]
    return next((found[1] for pattern in _PATTERNS if (found := pattern.match(low) or _found(pattern, low))), None)


def _found(pattern: re.Pattern[str], host: str) -> re.Match[str] | None:
    return pattern.search(host) if pattern is _AWS else None


def _of_model(model: str) -> str | None:
    """Return what a Bedrock name says: a profile's geography, which may answer from any region in it, or an ARN's region."""
    low = model.lower()
    if "." not in low and ":" not in low:  # neither an ARN nor a profile's prefix
        return None
    arn = _ARN.match(low)
    if arn:
        inner = _PROFILE.match(arn["rest"])
        return inner[1] if inner else arn[1]
    profile = _PROFILE.match(low)
    return profile[1] if profile else None
