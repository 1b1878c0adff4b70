"""A loopback server that speaks Langfuse's documented API, of version 3 or 4, with answers built by its SDKs' models."""

from __future__ import annotations

import json
import threading
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.importers.places import FIXTURES

KEYS = ("pk-lf-1", "sk-lf-1")
PAGE = 3
"""Rows on a page, however many are asked for."""


class FakeLangfuse(ThreadingHTTPServer):
    """`asked` holds each path with its query; the first of each path is answered 429, as a busy server does."""

    daemon_threads = True

    def __init__(self, version: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        name = {3: "langfuse3", 4: "langfuse5"}[version]
        self.answers: dict[str, Any] = json.loads((FIXTURES / f"{name}.json").read_text())
        self.asked: list[tuple[str, dict[str, str]]] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Return its address."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: FakeLangfuse

    def do_GET(self) -> None:
        """Answer as the API does."""
        parts = urlsplit(self.path)
        path, query = (
            parts.path.removeprefix("/api/public/"),
            {key: one[0] for key, one in parse_qs(parts.query).items()},
        )
        first = all(path != one for one, _ in self.server.asked)
        self.server.asked.append((path, query))
        if self.headers.get("Authorization") != "Basic " + b64encode(":".join(KEYS).encode()).decode():
            self._answer(401, {"message": "Invalid credentials"})
        elif first:
            self._answer(429, {"message": "Rate limit exceeded"}, {"Retry-After": "0"})
        else:
            self._answer(*self._told(path, query))

    def _told(self, path: str, query: dict[str, str]) -> tuple[int, Any]:
        known = self.server.answers
        if path == "projects":
            return 200, {"data": [{"id": "p", "name": "weather-bot"}]}
        if path.startswith("traces/") and path == f"traces/{known.get('trace', {}).get('id')}":
            return 200, known["trace"]
        if path not in known:
            return 404, {"error": "LangfuseNotFoundError", "message": f"no {path} in this version"}
        rows = known[path]["data"]
        if "traceId" in query:
            rows = [one for one in rows if one["traceId"] == query["traceId"]]
        if query.get("isRootObservation") == "true":
            rows = [one for one in rows if one["isRootObservation"]]
        size = min(PAGE, int(query.get("limit", PAGE)))
        if "page" in query or path in {"traces", "v2/scores"}:
            number = int(query.get("page", 1))
            pages = -(-len(rows) // size)
            meta: Any = {"page": number, "limit": size, "totalItems": len(rows), "totalPages": pages}
            return 200, {"data": rows[(number - 1) * size : number * size], "meta": meta}
        start = int(query.get("cursor", 0))
        meta = {"cursor": str(start + size)} if start + size < len(rows) else {}
        return 200, {"data": rows[start : start + size], "meta": meta}

    def _answer(self, status: int, told: Any, headers: dict[str, str] | None = None) -> None:
        body = json.dumps(told).encode()
        self.send_response(status)
        for name, value in {
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            **(headers or {}),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Say nothing."""
