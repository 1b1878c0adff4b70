"""OTLP over HTTP: `/v1/traces`, `/v1/logs`, `/v1/metrics`; 200 means durable.

Errors answer a `google.rpc.Status` in the encoding of the request, as the OTLP specification asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from starlette.responses import Response

from watchkeeper.ingest import count_metrics, decode_logs, decompress, encode_partial, encode_status
from watchkeeper.kit.errors import OverloadedError, StoreFullError, WatchkeeperError
from watchkeeper.server.body import read_body

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from watchkeeper.server.otlp.service import Accepted, IngestService

__all__ = ["OtlpApp"]

Signal = Literal["traces", "logs", "metrics"]

_RPC_CODES = {400: 3, 401: 16, 403: 7, 413: 3, 415: 3, 429: 8, 500: 13, 503: 14, 507: 14}
# OTLP has SDKs and collectors drop what is answered 507 and send again what is answered 503.
_ANSWERS = {507: 503}


class OtlpApp:
    """One ASGI app for one signal."""

    def __init__(self, signal: Signal, service: IngestService, max_body: int) -> None:
        self._signal = signal
        self._service = service
        self._max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one export."""
        headers = dict(scope["headers"])
        content_type = headers.get(b"content-type", b"").decode("latin-1")
        try:
            if scope["method"] != "POST":
                response = Response(status_code=405, headers={"Allow": "POST"})
                await response(scope, receive, send)
                return
            body = await read_body(headers, receive, self._max_body)
            encoding = headers.get(b"content-encoding", b"").decode("latin-1")
            accepted = await self._take(scope["watchkeeper.project"], body, content_type, encoding)
            payload, media = encode_partial(self._signal, content_type, accepted.rejected, accepted.reason)
            await Response(payload, media_type=media)(scope, receive, send)
        except WatchkeeperError as error:
            self._service.refused(error.code)
            await self._fail(error, content_type)(scope, receive, send)

    async def _take(self, project: str, body: bytes, content_type: str, encoding: str) -> Accepted:
        def plain() -> bytes:
            return decompress(body, encoding, self._max_body)

        if self._signal == "traces":
            return await self._service.trace_body(project, body, content_type, encoding)
        if self._signal == "logs":
            return await self._service.logs(project, len(body), lambda: decode_logs(plain(), content_type))
        return await self._service.metrics(len(body), lambda: count_metrics(plain(), content_type))

    @staticmethod
    def _fail(error: WatchkeeperError, content_type: str) -> Response:
        text = error.message if error.hint is None else f"{error.message} ({error.hint})"
        payload, media = encode_status(content_type, _RPC_CODES.get(error.status, 13), text)
        headers = {"X-Watchkeeper-Code": error.code}
        if isinstance(error, OverloadedError | StoreFullError):
            headers["Retry-After"] = str(error.retry_after)
        return Response(payload, _ANSWERS.get(error.status, error.status), headers, media)
