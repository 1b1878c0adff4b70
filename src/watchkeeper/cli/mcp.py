"""`watchkeeper mcp`."""

from __future__ import annotations

from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer

from watchkeeper.cli.remote import Server, server_of
from watchkeeper.kit.errors import MissingExtraError, UpstreamError
from watchkeeper.kit.settings import ServerSettings, read

__all__ = ["mcp"]


def mcp(
    url: Annotated[
        str | None, typer.Option(help="Ask this server, with WATCHKEEPER_API_KEY: a key with the scope read.")
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Data folder whose running server is asked, without a url.")
    ] = None,
    project: Annotated[
        str | None, typer.Option("--project", "-p", help="The project, where the key or folder has several.")
    ] = None,
) -> None:
    """Serve traces, costs, scores and SQL to an AI assistant over stdio, read-only, by MCP. (beta)

    The assistant starts it; the key decides the project. `watchkeeper serve` offers the same over HTTP at /mcp.

    Example: claude mcp add watchkeeper -e WATCHKEEPER_API_KEY=sk-... -- watchkeeper mcp --url http://127.0.0.1:7070
    """
    if find_spec("mcp") is None:
        raise MissingExtraError("the MCP server", "mcp")
    from anyio import to_thread

    from watchkeeper.mcp import build

    async def ask(method: str, path: str, body: dict[str, Any] | None) -> Any:  # noqa: ANN401 - JSON is any shape
        return await to_thread.run_sync(lambda: _server(url, data_dir, project).ask(method, path, body))

    build(lambda _: ask, version("watchkeeper")).run("stdio")


def _server(url: str | None, data_dir: Path | None, project: str | None) -> Server:
    """Find the server anew for each question: one that was restarted has another port and another proof."""
    settings = read(ServerSettings, data_dir=data_dir)
    if url is None and find_spec("duckdb") is None:
        raise MissingExtraError("asking the data folder's server, without a url,", "server")
    server = server_of(settings, url, project)
    if server is None:
        raise UpstreamError(
            f"no server holds the data folder {settings.folder()}",
            hint="start watchkeeper serve, or name one with --url",
        )
    return server
