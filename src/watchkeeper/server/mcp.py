"""`/mcp`: the MCP server over streamable HTTP, on the API of this very app.

A tool's question goes to the app as a request of its own, with what the caller's request brought: the same key or session,
the same peer and Host. So it passes the same door, permissions, validation and limits as if the caller had asked the API.
Nothing is kept between requests: no session that another key could take over, and no stream that stays open.
"""

from __future__ import annotations

import asyncio
import json
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse

from watchkeeper.kit.errors import MissingExtraError, RequestError, UpstreamError
from watchkeeper.server.gate import Caller
from watchkeeper.server.version import version

if TYPE_CHECKING:
    from mcp.server.lowlevel.server import Server
    from mcp.server.transport_security import TransportSecuritySettings
    from starlette.types import Message, Receive, Scope, Send

    from watchkeeper.mcp import Ask, Told

__all__ = ["McpApp"]

_BODY = 1 << 20
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_OK = 300

# What speaks of the caller's own body and of how it wants its answer.
_OF_THE_CALL = frozenset({
    b"content-length", b"content-type", b"content-encoding", b"transfer-encoding", b"accept", b"accept-encoding",
    b"connection", b"expect",
})  # fmt: skip


class McpApp:
    """The endpoint. The SDK is loaded, and the server made, by the first request: most servers never see one."""

    def __init__(self) -> None:
        self._server: Server[Any] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; GET and DELETE are for sessions and streams, which there are none of."""
        if scope["method"] != "POST":
            refusal = {"error": {"code": "method_not_allowed", "message": "MCP is spoken by POST here", "hint": None}}
            await JSONResponse(refusal, 405, {"Allow": "POST"})(scope, receive, send)
            return
        if self._server is None:
            self._server = await asyncio.to_thread(_made)  # half a second, in which ingest goes on
        from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

        manager = StreamableHTTPSessionManager(
            self._server, json_response=True, stateless=True, security_settings=_security(scope),
            max_request_body_size=_BODY,
        )  # fmt: skip
        async with (
            manager.run()
        ):  # one for each request, in the request's own task: nothing to start or stop with the app
            await manager.handle_request(scope, receive, send)


def _made() -> Server[Any]:
    if find_spec("mcp") is None:
        missing = MissingExtraError("the MCP server", "mcp")
        raise UpstreamError(missing.message, hint=missing.hint)
    from watchkeeper.mcp import build

    return build(_reach, version())._lowlevel_server  # noqa: SLF001 - what the SDK's own session manager takes


def _security(scope: Scope) -> TransportSecuritySettings:
    """Allow the Host by which a known caller came, else loopback names, and pages of that same origin.

    A page that rebinds its name to ours has no key, and its own name for a Host.
    """
    from mcp.server.transport_security import TransportSecuritySettings

    who: Caller = scope["watchkeeper.caller"]
    host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
    hosts = [*_LOOPBACK, *(f"{name}:*" for name in _LOOPBACK)] if who.kind == "local" else [host]
    return TransportSecuritySettings(
        allowed_hosts=hosts, allowed_origins=[f"http://{host}", f"https://{host}"] if host else []
    )


def _reach(told: Told) -> Ask:
    """Return the way to the API as the caller whose request called the tool."""
    request = told.request_context.request
    if request is None:
        raise RequestError("a tool is called by a request")
    return _Inside(request.scope).ask


class _Inside:
    """Asks the app that serves the request, within this process."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    async def ask(self, method: str, path: str, body: dict[str, Any] | None) -> Any:  # noqa: ANN401 - JSON is any shape
        """Ask `/api/v1`; see `watchkeeper.mcp.Ask`."""
        sent = b"" if body is None else json.dumps(body).encode()
        answer = _Heard(sent)
        await self._scope["app"](self._as(method, path, len(sent)), answer.receive, answer.send)
        text = b"".join(answer.pieces)
        if answer.status >= _OK:
            raise _refusal(answer.status, text)
        return json.loads(text)

    def _as(self, method: str, path: str, size: int) -> Scope:
        where, _, query = path.partition("?")
        kept = [(name, value) for name, value in self._scope["headers"] if name not in _OF_THE_CALL]
        headers = [*kept, (b"content-type", b"application/json"), (b"content-length", str(size).encode())]
        copied = ("type", "asgi", "http_version", "scheme", "server", "client", "root_path")
        return {name: self._scope[name] for name in copied if name in self._scope} | {
            "method": method, "path": f"/api/v1{where}", "raw_path": f"/api/v1{where}".encode(),
            "query_string": query.encode(), "headers": headers, "state": {},
        }  # fmt: skip


class _Heard:
    """One exchange with the app: what it is sent, and what it answers."""

    def __init__(self, body: bytes) -> None:
        self._body: list[bytes] = [body]
        self.status = 500
        self.pieces: list[bytes] = []

    async def receive(self) -> Message:
        """Hand out the body, then that the caller is gone."""
        if self._body:
            return {"type": "http.request", "body": self._body.pop(), "more_body": False}
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Keep what is answered."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif message["type"] == "http.response.body":
            self.pieces.append(message.get("body", b""))


def _refusal(status: int, text: bytes) -> RequestError:
    try:
        problem = json.loads(text)["error"]
        return RequestError(problem["message"], hint=problem.get("hint"))
    except (ValueError, KeyError, TypeError):
        return RequestError(f"the server answered {status}")
