"""Asking a running server, for verbs that work on its folder."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from watchkeeper.kit.errors import QueryRefusedError, RequestError, UpstreamError
from watchkeeper.kit.settings import SdkSettings, read

__all__ = ["post"]


def post(address: str, path: str, body: dict[str, Any], *, timeout: float = 600) -> dict[str, Any]:
    """Send JSON to a server with the key of WATCHKEEPER_API_KEY and return its answer.

    Raises:
        RequestError: the server refused; its message and hint.
        UpstreamError: it did not answer.
    """
    headers = {"Content-Type": "application/json"}
    key = read(SdkSettings).api_key
    if key:
        headers["Authorization"] = f"Bearer {key}"
    target = f"{address.rstrip('/')}{path}"
    request = urllib.request.Request(target, json.dumps(body).encode(), headers)  # noqa: S310 - the user's own server
    try:
        with urllib.request.urlopen(request, timeout=timeout) as response:  # noqa: S310 - the user's own server
            answer: dict[str, Any] = json.load(response)
            return answer
    except urllib.error.HTTPError as error:
        raise _refusal(error) from None
    except OSError as error:
        raise UpstreamError(f"no answer from {address}: {error}", hint="is the server running?") from None


def _refusal(error: urllib.error.HTTPError) -> RequestError | UpstreamError:
    try:
        problem = json.load(error)["error"]
        kind = QueryRefusedError if problem["code"] == "query_refused" else RequestError
        return kind(problem["message"], hint=problem.get("hint"))
    except (ValueError, KeyError, TypeError):
        return UpstreamError(f"the server answered {error.code}")
