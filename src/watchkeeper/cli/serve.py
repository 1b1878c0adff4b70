"""`watchkeeper serve`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from watchkeeper.cli.terminal import stderr
from watchkeeper.kit.settings import ServerSettings, read

if TYPE_CHECKING:
    from watchkeeper.server import Running

__all__ = ["serve"]


def serve(
    host: Annotated[
        str | None, typer.Option(help="Address to listen on. [default: 127.0.0.1; WATCHKEEPER_HOST]")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="HTTP port, 0 for any free one. [default: 7070; WATCHKEEPER_PORT]"),
    ] = None,
    grpc_port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65535, help="OTLP/gRPC port, 0 for none. [default: 4317, skipped with a warning if taken]"
        ),
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Folder for everything stored. [default: ~/.local/share/watchkeeper]")
    ] = None,
    manifest: Annotated[
        Path | None,
        typer.Option(help="The manifest. [default: ./watchkeeper.toml where there is one; WATCHKEEPER_MANIFEST]"),
    ] = None,
) -> None:
    """Run the server: OTLP in, dashboard, API and metrics. (beta)

    Beyond loopback it wants a key: WATCHKEEPER_SECRET_KEY=sk-… . Further settings: docs/reference/settings.md.
    """
    settings = read(ServerSettings, host=host, port=port, grpc_port=grpc_port, data_dir=data_dir, manifest=manifest)
    from watchkeeper.server import serve as run

    run(settings, _say)


def _say(running: Running) -> None:
    console = stderr()
    if running.warning:
        console.print(f"[yellow]warning:[/] {running.warning}")
    console.print("[bold green]Watchkeeper is up[/]")
    console.print(f"  dashboard  {running.url}")
    console.print(f"  OTLP/HTTP  {running.url}/v1/traces")
    if running.grpc_port:
        console.print(f"  OTLP/gRPC  {running.url.rpartition(':')[0].removeprefix('http://')}:{running.grpc_port}")
    console.print(f"  data       {running.folder}")
    console.print("  Ctrl-C stops it.", style="dim")
