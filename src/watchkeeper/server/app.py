"""The ASGI application: the API, OTLP, metrics, health and the built UI on one origin."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.routing import iter_route_contexts
from starlette.concurrency import run_in_threadpool
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from watchkeeper.kit.errors import NotFoundError
from watchkeeper.server import (
    accounts,
    backup,
    erasure,
    errors,
    journal,
    keys,
    langfuse,
    mapping,
    members,
    overview,
    prices,
    projects,
    scores,
    sql,
    status,
    traces,
)
from watchkeeper.server.access import AccessMiddleware
from watchkeeper.server.drain import DrainMiddleware
from watchkeeper.server.gate import Caller
from watchkeeper.server.helicone import LOGS, TRACES, HeliconeApp
from watchkeeper.server.helicone.openapi import HELICONE_PATHS
from watchkeeper.server.mcp import McpApp
from watchkeeper.server.otlp import OtlpApp
from watchkeeper.server.otlp.openapi import OTLP_PATHS
from watchkeeper.server.permissions import Permissions
from watchkeeper.server.version import version
from watchkeeper.server.wiring import Services

__all__ = ["create_app", "openapi", "routes"]

STATIC = Path(__file__).parent / "static"

_POLICY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
_HEADERS = [
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]

_NO_UI = """<!doctype html><meta charset="utf-8"><title>Watchkeeper</title>
<p>The server runs, but this installation holds no built UI. In a checkout, <code>make ui</code> builds it.</p>"""


def create_app(services: Services) -> FastAPI:
    """Build the app on the services; closing them is the app's last act."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        services.keeper.start()
        services.hours.start()
        yield
        services.close()

    app = FastAPI(
        title="Watchkeeper", version=version(), lifespan=lifespan, docs_url=None, redoc_url=None,
        openapi_url="/api/v1/openapi.json", separate_input_output_schemas=False,
    )  # fmt: skip
    app.state.services = services
    errors.install(app)
    app.include_router(_api())
    _add_plain_routes(app, services)
    _add_ui(app)
    app.openapi = lambda: openapi(app)  # type: ignore[method-assign]  # FastAPI's own way to extend the document
    app.add_middleware(_Headers)
    app.add_middleware(_GzipApi)
    app.add_middleware(AccessMiddleware, gate=services.gate, permissions=lambda: Permissions(routes(app)))
    app.add_middleware(DrainMiddleware)
    return app


def openapi(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document, the plain ASGI routes' hand-written part merged in."""
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, routes=app.routes)
        document["paths"] |= OTLP_PATHS | HELICONE_PATHS
        app.openapi_schema = document
    return app.openapi_schema


def routes(app: FastAPI) -> list[tuple[frozenset[str] | None, str, bool]]:
    """Return (methods, path template, is a mount) of every route, in the order in which they are tried."""
    found = []
    for context in iter_route_contexts(app.routes):
        methods = getattr(context, "methods", None)
        is_mount = isinstance(getattr(context, "original_route", None), Mount)
        found.append((frozenset(methods) if methods else None, str(context.path), is_mount))
    return found


def _api() -> APIRouter:
    api = APIRouter(prefix="/api/v1", responses=errors.PROBLEMS)
    slices = (
        traces,
        scores,
        overview,
        status,
        sql,
        erasure,
        prices,
        mapping,
        keys,
        projects,
        accounts,
        members,
        backup,
        journal,
    )
    for slice_ in slices:
        api.include_router(slice_.router)
    return api


def _add_plain_routes(app: FastAPI, services: Services) -> None:
    async def healthz(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def metrics(request: Request) -> Response:
        told = request.headers
        body, headers = await run_in_threadpool(
            services.metrics.page, told.get("accept", ""), told.get("accept-encoding", ""), _shown_project(request)
        )
        return Response(body, headers=headers)

    async def info(request: Request) -> Response:
        # Logfire's SDK asks this of whoever its token is for, before it sends anything.
        who: Caller = request.scope["watchkeeper.caller"]
        return JSONResponse({"project_name": who.project, "project_url": str(request.base_url)})

    for signal in ("traces", "logs", "metrics"):
        endpoint = OtlpApp(signal, services.ingest, services.max_body)
        app.router.routes.append(Route(f"/v1/{signal}", endpoint))
        app.router.routes.append(Route(f"/api/public/otel/v1/{signal}", endpoint))
    app.router.routes.append(Route("/v1/info", info))
    for log in LOGS:
        app.router.routes.append(Route(f"/{log}/v1/log", HeliconeApp(log, services.ingest, services.max_body)))
    for path in TRACES:
        app.router.routes.append(Route(path, OtlpApp("traces", services.ingest, services.max_body)))
    app.include_router(langfuse.router)
    app.router.routes.append(Route("/healthz", healthz))
    app.router.routes.append(Route("/readyz", healthz))
    app.router.routes.append(Route("/metrics", metrics))
    app.router.routes.append(Route("/mcp", McpApp()))


def _shown_project(request: Request) -> str | None:
    """Return the project whose calls a scraper may see, None where it may see all: who runs the server."""
    who: Caller = request.scope["watchkeeper.caller"]
    return None if who.is_owner else who.project


def _add_ui(app: FastAPI) -> None:
    index = STATIC / "index.html"
    if (STATIC / "assets").is_dir():
        app.mount("/assets", StaticFiles(directory=STATIC / "assets"), name="assets")

    async def page(request: Request) -> Response:
        path = request.path_params["path"]
        if path.startswith(("api/", "v1/")):
            raise NotFoundError(f"there is no /{path}")
        if not index.is_file():
            return HTMLResponse(_NO_UI, 200 if path == "" else 404)
        named = STATIC / path
        if path and "/" not in path and named.is_file():
            return FileResponse(named)
        return FileResponse(index, headers={"Cache-Control": "no-cache"})

    app.router.routes.append(Route("/{path:path}", page, methods=["GET"]))


class _Headers:
    """Security headers on every answer; hashed assets may be kept for a year."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/v1/"):
            await self._app(scope, receive, send)
            return
        extra = list(_HEADERS)
        if scope["path"].startswith("/assets/"):
            extra.append((b"cache-control", b"public, max-age=31536000, immutable"))
        elif scope["path"].startswith("/api/"):
            extra.append((b"cache-control", b"no-store"))

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *extra]}
            await send(message)

        await self._app(scope, receive, with_headers)


class _GzipApi:
    """Compression for what browsers read; the OTLP path answers a few bytes and skips it, and media are as they are."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._gzip = GZipMiddleware(app, minimum_size=1_000, compresslevel=5)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        plain = scope["type"] != "http" or scope["path"].startswith(("/v1/", errors.MEDIA_CONTENT))
        await (self._app if plain else self._gzip)(scope, receive, send)
