"""`watchkeeper serve`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from watchkeeper.cli.terminal import stderr
from watchkeeper.kit.settings import ServerSettings, describe, names, read

if TYPE_CHECKING:
    from watchkeeper.server import Running

__all__ = ["serve"]


_HELP = dict(zip(names(ServerSettings), describe(ServerSettings), strict=True))


def _help(name: str) -> str:
    """Return what the settings say of an option, with its variable and default."""
    variable, text, default = _HELP[name]
    return f"{text[0].upper()}{text[1:]}{f' (default {default})' if default else ''}. Also {variable}."


def serve(
    host: Annotated[str | None, typer.Option(help=_help("host"))] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help=_help("port"))] = None,
    grpc_port: Annotated[int | None, typer.Option(min=0, max=65535, help=_help("grpc_port"))] = None,
    data_dir: Annotated[Path | None, typer.Option(help=_help("data_dir"))] = None,
    manifest: Annotated[Path | None, typer.Option(help=_help("manifest"))] = None,
) -> None:
    """Run the server: OTLP in, dashboard, API and metrics. (beta)

    Beyond loopback it wants a key or an account: docs/operations/access.md. Every other setting is a variable:
    watchkeeper settings lists them with what they are set to.
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
        console.print(f"  OTLP/gRPC  {running.url.rpartition(':')[0].partition('://')[2]}:{running.grpc_port}")
    console.print(f"  data       {running.folder}")
    console.print("  Ctrl-C stops it.", style="dim")
