"""The hand-written part of the OpenAPI document: these routes are plain ASGI."""

from __future__ import annotations

from typing import Any

from watchkeeper.server.helicone.endpoints import LOGS, TRACES
from watchkeeper.server.otlp.openapi import OTLP_PATHS

__all__ = ["HELICONE_PATHS"]


def _path(log: str) -> dict[str, Any]:
    return {
        "post": {
            "tags": ["helicone"],
            "operationId": f"log_{log}",
            "summary": "Take one call as Helicone's manual loggers tell of it (beta)",
            "description": "`Helicone-*` headers say who and what for. 200 means durable. See docs/helicone.md.",
            "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}},
            "responses": {
                "200": {"description": "Durable"},
                "400": {"description": "No such log"},
                "401": {"description": "A key is needed"},
                "413": {"description": "Over the size limit"},
                "415": {"description": "Unknown encoding"},
                "429": {"description": "Overloaded; see Retry-After"},
                "507": {"description": "No space left"},
            },
        }
    }


def _traces(path: str) -> dict[str, Any]:
    """Describe a path that takes what `/v1/traces` takes."""
    post = {**OTLP_PATHS["/v1/traces"]["post"], "tags": ["helicone"], "operationId": path[1:].replace("/", "_")}
    return {"post": {**post, "summary": "Take spans as Helicone's asynchronous loggers send them (beta)"}}


HELICONE_PATHS: dict[str, Any] = {f"/{log}/v1/log": _path(log) for log in LOGS} | {one: _traces(one) for one in TRACES}
