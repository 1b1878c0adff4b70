"""The ways in which a request brings a key: one place for HTTP and gRPC, whichever client sends it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable

__all__ = ["secret_of"]

_KEY_HEADERS = ("x-api-key", "api-key", "api_key")
"""Beside Authorization: what gateways and clients' own SDKs call it; Phoenix's older ones send the last."""


def secret_of(header: Callable[[str], str | None]) -> str | None:
    """Find the secret that a request brought.

    `Authorization` goes first: `Bearer SECRET`, `Basic` of `PUBLIC:SECRET` (Langfuse, MLflow) or of `SECRET:`, or the
    secret alone (Logfire). Then `x-api-key`, `api-key` and `api_key`.

    Args:
        header: gives a header's value by its lower-case name, None where it was not sent.
    """
    authorization = (header("authorization") or "").strip()
    if not authorization:
        return next((told for name in _KEY_HEADERS if (told := (header(name) or "").strip())), None)
    if (
        authorization[:9].lower() == "bearer%20"
    ):  # OTEL_EXPORTER_OTLP_HEADERS, from who does not decode it (Claude Code)
        authorization = f"Bearer {authorization[9:]}"
    scheme, _, rest = authorization.partition(" ")
    match scheme.lower():
        case "bearer":
            return rest.strip() or None
        case "basic":
            return _basic(rest.strip())
        case _:
            return authorization


def _basic(told: str) -> str | None:
    try:
        name, _, secret = base64.b64decode(told, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return secret or name or None
