"""What each endpoint needs, in one table. An endpoint that is not in it is closed to all but the owner.

`tests/server/test_isolation.py` walks every route of the app and fails where one has no line here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal, TypeAlias

from starlette.routing import compile_path

__all__ = ["GRPC_NEEDS", "NEEDS", "Need", "Permissions"]

Need: TypeAlias = Literal["public", "whoever", "anyone", "ingest", "read", "admin", "owner"]
"""`public`: no caller is asked for. `whoever`: told who is calling where that is known, and open to all. `anyone`: a
caller, whatever they may do. `ingest`, `read`, `admin`: the scope. `owner`: whoever runs the server."""

_ANY = "*"

NEEDS: dict[tuple[str, str], Need] = {
    # What a browser needs before anyone signed in: the page itself holds no data.
    ("GET", "/healthz"): "public",
    ("GET", "/readyz"): "public",
    ("GET", "/{path:path}"): "public",
    (_ANY, "/assets"): "public",
    # Data in.
    (_ANY, "/v1/traces"): "ingest",
    (_ANY, "/v1/logs"): "ingest",
    (_ANY, "/v1/metrics"): "ingest",
    ("GET", "/v1/info"): "ingest",
    (_ANY, "/v1/trace/log"): "ingest",
    (_ANY, "/v1/trace/log-python"): "ingest",
    (_ANY, "/custom/v1/log"): "ingest",
    (_ANY, "/oai/v1/log"): "ingest",
    (_ANY, "/anthropic/v1/log"): "ingest",
    (_ANY, "/googleapis/v1/log"): "ingest",
    ("POST", "/api/v1/scores"): "ingest",
    # Langfuse's API: what its clients write is ingested, what they read is data out.
    (_ANY, "/api/public/otel/v1/traces"): "ingest",
    (_ANY, "/api/public/otel/v1/logs"): "ingest",
    (_ANY, "/api/public/otel/v1/metrics"): "ingest",
    ("POST", "/api/public/ingestion"): "ingest",
    ("POST", "/api/public/scores"): "ingest",
    ("GET", "/api/public/health"): "public",
    ("GET", "/api/public/projects"): "anyone",
    # An application fetches the prompts it can name with the key it sends by, but does not list them.
    ("GET", "/api/public/v2/prompts"): "read",
    ("GET", "/api/public/v2/prompts/{name:path}"): "anyone",
    # What a prompt says decides what an application does: a key that only sends spans must not change it.
    ("POST", "/api/public/v2/prompts"): "admin",
    ("PATCH", "/api/public/v2/prompts/{name:path}/versions/{version}"): "admin",
    ("DELETE", "/api/public/v2/prompts/{name:path}"): "admin",
    # Test cases and what an experiment made of them are data in.
    ("POST", "/api/public/v2/datasets"): "ingest",
    ("POST", "/api/public/dataset-items"): "ingest",
    ("POST", "/api/public/dataset-run-items"): "ingest",
    ("GET", "/api/public/sessions"): "read",
    ("GET", "/api/public/sessions/{session:path}"): "read",
    ("GET", "/api/public/v2/datasets"): "read",
    ("GET", "/api/public/v2/datasets/{name:path}"): "read",
    ("GET", "/api/public/dataset-items"): "read",
    ("GET", "/api/public/dataset-items/{item}"): "read",
    ("GET", "/api/public/dataset-run-items"): "read",
    ("GET", "/api/public/datasets/{path:path}"): "read",
    ("DELETE", "/api/public/dataset-items/{item}"): "admin",
    ("DELETE", "/api/public/datasets/{path:path}"): "admin",
    # Media are data in and data out; the bytes go by addresses that are signed, which their clients call without a key.
    ("POST", "/api/public/media"): "ingest",
    ("PATCH", "/api/public/media/{media}"): "ingest",
    ("GET", "/api/public/media/{media}"): "read",
    ("PUT", "/api/public/media/content/{token}"): "public",
    ("GET", "/api/public/media/content/{token}"): "public",
    (_ANY, "/api/public/{path:path}"): "anyone",
    # Data out.
    ("GET", "/api/v1/openapi.json"): "anyone",
    ("GET", "/api/v1/traces"): "read",
    ("GET", "/api/v1/traces/{trace_id}"): "read",
    ("GET", "/api/v1/traces/{trace_id}/spans/{span_id}"): "read",
    ("GET", "/api/v1/spans"): "read",
    ("GET", "/api/v1/scores"): "read",
    ("GET", "/api/v1/overview"): "read",
    ("GET", "/api/v1/facets"): "read",
    ("GET", "/api/v1/prices"): "read",
    ("GET", "/api/v1/prices/check"): "read",
    ("GET", "/api/v1/prices/hours"): "read",
    ("GET", "/api/v1/status"): "read",
    ("POST", "/api/v1/query"): "read",
    ("GET", "/metrics"): "read",
    (_ANY, "/mcp"): "read",
    # Signing in. What needs a password or a link's token asks for it itself.
    ("GET", "/api/v1/session"): "whoever",
    ("POST", "/api/v1/session"): "public",
    ("POST", "/api/v1/links/open"): "public",
    ("POST", "/api/v1/links/accept"): "public",
    ("DELETE", "/api/v1/session"): "anyone",
    ("PUT", "/api/v1/session/password"): "anyone",
    ("GET", "/api/v1/sessions"): "anyone",
    ("DELETE", "/api/v1/sessions/{session_id}"): "anyone",
    # Keys and people.
    ("GET", "/api/v1/members"): "admin",
    ("PUT", "/api/v1/members/{user_id}"): "admin",
    ("DELETE", "/api/v1/members/{user_id}"): "admin",
    ("POST", "/api/v1/members/{user_id}/reset"): "admin",
    ("GET", "/api/v1/invitations"): "admin",
    ("POST", "/api/v1/invitations"): "admin",
    ("DELETE", "/api/v1/invitations/{invitation_id}"): "admin",
    ("GET", "/api/v1/users"): "owner",
    ("PUT", "/api/v1/users/{user_id}"): "owner",
    ("POST", "/api/v1/erasures"): "admin",
    ("POST", "/api/v1/prices/backfill"): "admin",
    ("POST", "/api/v1/mapping/backfill"): "admin",
    # A backup holds every project.
    ("POST", "/api/v1/backups"): "owner",
    ("GET", "/api/v1/backups/{backup}"): "owner",
    ("GET", "/api/v1/backups/{backup}/archive"): "owner",
    ("DELETE", "/api/v1/backups/{backup}"): "owner",
    # So does what was set aside of the journal.
    ("GET", "/api/v1/journal"): "owner",
    ("POST", "/api/v1/journal/{name}"): "owner",
    ("DELETE", "/api/v1/journal/{name}"): "owner",
    ("GET", "/api/v1/projects"): "owner",
    ("PUT", "/api/v1/projects/{project_id}"): "owner",
    ("GET", "/api/v1/keys"): "admin",
    ("POST", "/api/v1/keys"): "admin",
    ("POST", "/api/v1/keys/{public_id}/rotate"): "admin",
    ("DELETE", "/api/v1/keys/{public_id}"): "admin",
}

GRPC_NEEDS: dict[str, Need] = {
    "opentelemetry.proto.collector.trace.v1.TraceService": "ingest",
    "opentelemetry.proto.collector.logs.v1.LogsService": "ingest",
    "opentelemetry.proto.collector.metrics.v1.MetricsService": "ingest",
}
"""The same for the gRPC services, by their full name."""


class Permissions:
    """Finds what a request needs, by the routes in the order in which the app tries them.

    Args:
        routes: (methods, path template) of every route; None for methods stands for any. A mount is its prefix.
    """

    def __init__(self, routes: Iterable[tuple[frozenset[str] | None, str, bool]]) -> None:
        self._plain: dict[tuple[str, str], Need] = {}
        self._patterns: list[tuple[re.Pattern[str], dict[str, Need]]] = []
        for methods, path, is_mount in routes:
            needs = {method: _need(method, path) for method in methods or (_ANY,)}
            if "{" not in path and not is_mount:
                # The first route wins, as in the app: none before it has this very path, or matches it as a pattern.
                for method, need in needs.items():
                    if not any(
                        pattern.match(path) and (method in one or _ANY in one) for pattern, one in self._patterns
                    ):
                        self._plain[method, path] = need
            self._patterns.append((compile_path(path + "/{rest:path}" if is_mount else path)[0], needs))

    def need(self, method: str, path: str) -> Need:
        """Return what a request needs; `owner` where no route would take it, or none is in the table."""
        found = self._plain.get((method, path))
        if found is not None:
            return found
        for pattern, needs in self._patterns:
            if pattern.match(path):
                need = needs.get(method) or needs.get(_ANY)
                if need is not None:
                    return need
        return "owner"


def _need(method: str, path: str) -> Need:
    named = "GET" if method == "HEAD" else method
    return NEEDS.get((named, path)) or NEEDS.get((_ANY, path)) or "owner"
