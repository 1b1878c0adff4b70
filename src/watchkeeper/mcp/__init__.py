"""Floor 5: the MCP server, by the official SDK: read-only tools over traces, scores, costs and SQL.

It knows the API through a port (`Ask`) that whoever starts it hands in: `watchkeeper mcp` asks over HTTP, `/mcp` of the
server asks the app it is part of, as who sent the request. Importing this room loads the SDK.
"""

from __future__ import annotations

from watchkeeper.mcp.asking import Ask, Reach, Told
from watchkeeper.mcp.build import build

__all__ = ["Ask", "Reach", "Told", "build"]
