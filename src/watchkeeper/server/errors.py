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

__all__ = ["LANGFUSE", "MEDIA_CONTENT", "PROBLEMS", "error_response", "install"]

LANGFUSE = "/api/public/"
"""Under it stands Langfuse's API, whose errors have a shape of their own."""

MEDIA_CONTENT = f"{LANGFUSE}media/content/"
"""Under it the bytes of media come and go, by signed addresses."""

_THEIR_CODES = {"not_found": "LangfuseNotFoundError"}
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


def error_response(error: WatchkeeperError, path: str) -> Response:
    """Write an error as `{"error": {code, message, hint}}` with its status and headers.

    Under Langfuse's path it is `{message, error}`, both text, as Langfuse's clients read it.
    """
    headers = {}
    if isinstance(error, OverloadedError | StoreFullError):
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, UnauthenticatedError):
        headers["WWW-Authenticate"] = "Bearer"
    return _answer(path, error.status, error.code, error.message, error.hint, headers)


def install(app: FastAPI) -> None:
    """Teach the app to answer every error in one shape."""

    async def ours(request: Request, error: Exception) -> Response:
        if isinstance(error, WatchkeeperError):
            if error.status >= _OURS:
                _log.error("%s: %s", error.code, error.message)
            return error_response(error, request.url.path)
        raise error

    async def invalid(request: Request, error: Exception) -> Response:
        found = error.errors() if isinstance(error, RequestValidationError) else []
        where = [f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in found[:5]]
        text = "; ".join(where) or "the request does not validate"
        # Langfuse's clients know 400 for what does not validate.
        status = 400 if request.url.path.startswith(LANGFUSE) else 422
        return _answer(request.url.path, status, "invalid", text, None, {})

    async def http(request: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            raise error
        code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "http")
        return _answer(request.url.path, error.status_code, code, str(error.detail), None, dict(error.headers or {}))

    app.add_exception_handler(WatchkeeperError, ours)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)


def _answer(path: str, status: int, code: str, message: str, hint: str | None, headers: dict[str, str]) -> Response:
    if path.startswith(LANGFUSE):
        told = {"message": message if hint is None else f"{message} ({hint})", "error": _THEIR_CODES.get(code, code)}
        return JSONResponse(told, status, headers)
    return JSONResponse({"error": {"code": code, "message": message, "hint": hint}}, status, headers)
