"""The one place where an error becomes an HTTP answer."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from watchkeeper.kit.errors import OverloadedError, StoreFullError, UnauthenticatedError, WatchkeeperError
from watchkeeper.server.schemas import Problem

__all__ = ["PROBLEMS", "error_response", "install"]

_OURS = 500
_log = logging.getLogger("watchkeeper.server")

PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": text}
    for status, text in {
        400: "The request cannot be taken as it is",
        401: "A key is needed, or the one sent is not known",
        403: "A page of another origin may not write",
        404: "Not here, or not in this project",
        413: "The body is over the limit",
        422: "A parameter or field does not validate",
        429: "Overloaded; see Retry-After",
        500: "Our fault",
        501: "The store's backend cannot answer that",
        504: "The query ran past its time limit",
        507: "No space left on the device",
    }.items()
}


def error_response(error: WatchkeeperError) -> Response:
    """Write an error as `{"error": {code, message, hint}}` with its status and headers."""
    headers = {}
    if isinstance(error, OverloadedError | StoreFullError):
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, UnauthenticatedError):
        headers["WWW-Authenticate"] = "Bearer"
    return _answer(error.status, error.code, error.message, error.hint, headers)


def install(app: FastAPI) -> None:
    """Teach the app to answer every error in one shape."""

    async def ours(_: Request, error: Exception) -> Response:
        if isinstance(error, WatchkeeperError):
            if error.status >= _OURS:
                _log.error("%s: %s", error.code, error.message)
            return error_response(error)
        raise error

    async def invalid(_: Request, error: Exception) -> Response:
        found = error.errors() if isinstance(error, RequestValidationError) else []
        where = [f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in found[:5]]
        return _answer(422, "invalid", "; ".join(where) or "the request does not validate", None, {})

    async def http(_: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            raise error
        code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "http")
        return _answer(error.status_code, code, str(error.detail), None, dict(error.headers or {}))

    app.add_exception_handler(WatchkeeperError, ours)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)


def _answer(status: int, code: str, message: str, hint: str | None, headers: dict[str, str]) -> Response:
    return JSONResponse({"error": {"code": code, "message": message, "hint": hint}}, status, headers)
