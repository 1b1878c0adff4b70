"""Helicone's asynchronous log: `/{custom,oai,anthropic,googleapis}/v1/log`, one call a request; 200 means durable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response

from watchkeeper.ingest import DecodedTraces, decode_helicone, decompress
from watchkeeper.kit.errors import RequestError, WatchkeeperError
from watchkeeper.server.body import read_body
from watchkeeper.server.errors import error_response

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from watchkeeper.server.otlp.service import IngestService

__all__ = ["LOGS", "TRACES", "HeliconeApp"]

LOGS = ("custom", "oai", "anthropic", "googleapis")
"""The first words of the paths: whose interface the bodies are in."""

TRACES = ("/v1/trace/log", "/v1/trace/log-python")
"""Where Helicone's asynchronous loggers, which trace with OpenLLMetry, send OTLP."""


class HeliconeApp:
    """One ASGI app for one of the paths."""

    def __init__(self, log: str, service: IngestService, max_body: int) -> None:
        self._log = log
        self._service = service
        self._max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one log."""
        if scope["method"] != "POST":
            await Response(status_code=405, headers={"Allow": "POST"})(scope, receive, send)
            return
        try:
            headers = dict(scope["headers"])
            body = await read_body(headers, receive, self._max_body)
            told = {name.decode("latin-1"): _text(value) for name, value in headers.items()}
            encoding = told.get("content-encoding", "")

            def decode() -> DecodedTraces:
                return decode_helicone(decompress(body, encoding, self._max_body), self._log, told)

            accepted = await self._service.traces(scope["watchkeeper.project"], len(body), decode)
            if accepted.rejected:
                raise RequestError(accepted.reason)
            await JSONResponse({"status": "stored"})(scope, receive, send)
        except WatchkeeperError as error:
            self._service.refused(error.code)
            await error_response(error, scope["path"])(scope, receive, send)


def _text(value: bytes) -> str:
    """Read a header's value: Python's requests sends Latin-1, Node's fetch what is left of UTF-8."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
