"""How tools reach the API: a port that is handed in, so that both transports stand on the very same endpoints."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias
from urllib.parse import urlencode

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError

from watchkeeper.kit.errors import WatchkeeperError

__all__ = ["Api", "Ask", "Reach", "Told"]

Told: TypeAlias = Context[Any, Any]
"""What the SDK tells a tool about the request that called it."""

Ask: TypeAlias = Callable[[str, str, dict[str, Any] | None], Awaitable[Any]]
"""Asks `/api/v1` as the caller: method, path with its query, JSON body; returns the JSON answer, or raises ours."""

Reach: TypeAlias = Callable[[Told], Ask]
"""Finds the way to the API for one call: over HTTP as this key, or in this process as who sent the request."""


class Api:
    """The API as one caller sees it; what it refuses becomes a tool error, which the model reads and can mend.

    It has no way to write: everything is a GET, or the query endpoint, which takes one SELECT.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def get(self, path: str, **query: str | int | None) -> dict[str, Any]:
        """GET a path under `/api/v1`; what is None is left out of its query.

        Raises:
            ToolError: it was refused, or nobody answered.
        """
        told = urlencode({name: one for name, one in query.items() if one is not None})
        return await self._asked("GET", f"{path}?{told}" if told else path, None)

    async def sql(self, text: str, rows: int) -> dict[str, Any]:
        """Run one SELECT under the limits of the query endpoint, for so many rows at most.

        Raises:
            ToolError: it was refused, or nobody answered.
        """
        return await self._asked("POST", "/query", {"sql": text, "max_rows": rows})

    async def _asked(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = await self._ask(method, path, body)
        except WatchkeeperError as error:
            raise ToolError(f"{error.message} ({error.hint})" if error.hint else error.message) from None
        return answer
