"""The hand-written part of the OpenAPI document: routes that are plain ASGI."""

from __future__ import annotations

from typing import Any

__all__ = ["OTLP_PATHS"]


def _path(signal: str, text: str) -> dict[str, Any]:
    body = {"schema": {"type": "string", "format": "binary"}}
    return {
        "post": {
            "tags": ["otlp"],
            "operationId": f"export_{signal}",
            "summary": text,
            "description": "OTLP/HTTP 1.x. `Content-Encoding` gzip, deflate or zstd. 200 means durable.",
            "requestBody": {
                "required": True,
                "content": {"application/x-protobuf": body, "application/json": {"schema": {"type": "object"}}},
            },
            "responses": {
                "200": {"description": "Durable; `partial_success` names what was refused"},
                "400": {"description": "Not OTLP"},
                "401": {"description": "A key is needed"},
                "413": {"description": "Over the size limit"},
                "415": {"description": "Unknown media type or encoding"},
                "429": {"description": "Overloaded; see Retry-After"},
                "507": {"description": "No space left"},
            },
        }
    }


OTLP_PATHS: dict[str, Any] = {
    "/v1/traces": _path("traces", "Take spans"),
    "/v1/logs": _path("logs", "Take log records that name a span"),
    "/v1/metrics": _path("metrics", "Accept metrics (checked, not stored)"),
}
